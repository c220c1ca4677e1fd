#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { check } from './commands/check.ts';
import { start } from './commands/start.ts';

const HELP = `slipstream: a multi-tenant gateway in front of Claude

  slipstream start [--config FILE]     the gateway; without settings: pass-through to api.anthropic.com on 127.0.0.1:8787
  slipstream check FILE                every problem of a settings file, with the way to mend it; exit 1 if there is one
  slipstream demo [--seconds N]        gateway, simulator and six sample tenants with live traffic, on loopback
  slipstream simulator                 the Claude simulator alone

  --config FILE   start: settings; else SLIPSTREAM_CONFIG, else ./slipstream.yaml, else none
  --port N        demo: 8787 if left out, and the next free one if taken; simulator: 8788
  --seconds N     demo: ends by itself with a summary; else Ctrl-C does
  --seed N        simulator: decides its answers; 1 if left out
`;

/** One command a run. Commands are loaded when they are called: the gateway starts without the simulator. */
async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      seconds: { type: 'string' },
      port: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [command = 'start', ...rest] = positionals;
  if (values.help) return print(HELP, 0);
  if (command === 'start') return start({ config: values.config });
  if (command === 'check')
    return rest[0] === undefined ? print('Which file? slipstream check FILE\n', 1) : check(rest[0]);
  const port = numberOf('--port', values.port, MAX_PORT);
  if (command === 'demo') {
    const { demo } = await import('./commands/demo.ts');
    return demo({ seconds: numberOf('--seconds', values.seconds, MAX_SECONDS) ?? null, port: port ?? 8787 });
  }
  if (command === 'simulator') {
    const { simulator } = await import('./commands/simulator.ts');
    return simulator({ port: port ?? 8788, seed: numberOf('--seed', values.seed, Number.MAX_SAFE_INTEGER) ?? 1 });
  }
  return print(`Unknown command: ${command}\n\n${HELP}`, 1);
}

const MAX_PORT = 65_535;
/** What a timer can hold: 24 days. */
const MAX_SECONDS = 2_147_483;

function numberOf(option: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,16}$/.test(text) && Number(text) <= max) return Number(text);
  throw new Error(`${option} takes a whole number from 0 to ${max}, not '${text}'`);
}

function print(text: string, exitCode: number): number {
  (exitCode === 0 ? process.stdout : process.stderr).write(text);
  return exitCode;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
