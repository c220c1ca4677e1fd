import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, within } from '../support/eventually.ts';

/** `slipstream start` as an operator runs it: a process of its own, a settings file, signals, its two output streams. */
export interface RunningCli {
  readonly port: number;
  /** All that it has written, on stdout and stderr. */
  readonly output: string;
  readonly settingsPath: string;
  rewriteSettings(text: string): void;
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGHUP'): void;
  /** Waits until it has written this. */
  says(text: string, count?: number): Promise<void>;
  /** Waits for its end. */
  exitCode(): Promise<number | null>;
  /** Ends it if it still runs, and removes its settings. */
  dispose(): Promise<void>;
}

const CLI = fileURLToPath(new URL('../../src/node/cli.ts', import.meta.url));
const DEADLINE_MS = 10_000;

export async function startCli(settings: string): Promise<RunningCli> {
  const cli = spawnCli(settings);
  await cli.says('Slipstream listens on');
  return cli;
}

/** Does not wait for it to listen: for settings with which it does not. */
export function spawnCli(settings: string): RunningCli {
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-test-'));
  const path = join(folder, 'slipstream.yaml');
  writeFileSync(path, settings);
  const child = spawn(process.execPath, [CLI, 'start', '--config', path], { env: {}, cwd: folder });
  let output = '';
  const append = (text: string): void => {
    output += text;
  };
  child.stdout.setEncoding('utf8').on('data', append);
  child.stderr.setEncoding('utf8').on('data', append);
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    get port() {
      return Number(/listens on http:\/\/[^ ]+:(\d+) /.exec(output)?.[1]);
    },
    get output() {
      return output;
    },
    settingsPath: path,
    rewriteSettings: (text) => writeFileSync(path, text),
    signal: (name) => void child.kill(name),
    says: (text, count = 1) =>
      eventually(`the gateway says ${count} times: ${text}`, DEADLINE_MS, () => output.split(text).length > count),
    exitCode: () => within('the gateway exits', DEADLINE_MS, exited),
    async dispose() {
      if (child.exitCode === null) child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}
