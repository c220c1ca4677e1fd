import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A command of the CLI as a child process, its output collected while it runs. Every wait has a deadline and a label. */
export interface Child {
  readonly stdout: string;
  readonly stderr: string;
  /** The first match in the child's stdout, now or later. */
  printed(pattern: RegExp, label: string): Promise<string>;
  exit(label: string): Promise<number | null>;
  kill(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void;
}

const DEADLINE_MS = 25_000;
const CLI = fileURLToPath(new URL('../../src/node/cli.ts', import.meta.url));

export function startCli(...args: string[]): Child {
  return startChild(process.execPath, [CLI, ...args]);
}

/** As a person pastes it. */
export function startShell(line: string): Child {
  return startChild('sh', ['-c', line]);
}

function startChild(command: string, args: string[]): Child {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  const onOutput = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      for (const look of onOutput) look();
    });
  }
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    printed: (pattern, label) =>
      within(label, output, (found) => {
        const look = (): void => {
          const match = pattern.exec(output.stdout)?.[0];
          if (match === undefined) return;
          onOutput.delete(look);
          found(match);
        };
        onOutput.add(look);
        look();
      }),
    exit: (label) => within(label, output, (found) => void closed.then(found)),
    kill: (signal) => void child.kill(signal),
  };
}

function within<Value>(
  label: string,
  output: { readonly stdout: string; readonly stderr: string },
  wait: (found: (value: Value) => void) => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`not in time: ${label}\n${output.stdout}\n${output.stderr}`));
    const timer = setTimeout(late, DEADLINE_MS);
    wait((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
