// npm run soak: runs, prints, writes the figures, and exits with 1 if something did not hold. Ctrl-C ends the load and
// still checks and reports; a second one ends it now.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stopAll } from '../child.ts';
import { describeMachine } from '../machine.ts';
import { parseCommand, type SoakCommand } from './options.ts';
import { renderReport } from './report.ts';
import { runSoak } from './soak.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const parsed = parseCommand(process.argv.slice(2));
if (parsed.kind === 'stop') {
  (parsed.exitCode === 0 ? process.stdout : process.stderr).write(`${parsed.message}\n`);
  process.exit(parsed.exitCode);
}
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) void stopAll().finally(() => process.exit(130));
    say('ending the load, then the checks; once more ends it now');
    stop.abort();
  });
}
try {
  process.exitCode = await run(parsed.command);
} finally {
  await stopAll();
}

async function run(command: SoakCommand): Promise<number> {
  const machine = describeMachine();
  const jsonFile = command.jsonFile ?? defaultJsonFile(machine.date);
  const result = await runSoak({ ...command, stop: stop.signal, onProgress: say });
  mkdirSync(dirname(jsonFile), { recursive: true });
  writeFileSync(jsonFile, `${JSON.stringify({ machine, command, result }, mapsAsObjects, 2)}\n`);
  process.stdout.write(`\n${renderReport(result)}\n`);
  say(`every figure: ${jsonFile}`);
  return result.checks.every(({ holds }) => holds) ? 0 : 1;
}

function mapsAsObjects(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}

function defaultJsonFile(date: string): string {
  return fileURLToPath(new URL(`../results/soak-${date.replaceAll(':', '-')}.json`, import.meta.url));
}
