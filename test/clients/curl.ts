import { spawn } from 'node:child_process';
import { eventually, within } from '../support/eventually.ts';

/** The machine's curl as a client: what it prints as it comes, and Ctrl-C. */
export interface CurlRun {
  /** What it has printed so far. */
  readonly printed: string;
  /** Waits until what it has printed satisfies the predicate. */
  prints(label: string, predicate: (text: string) => boolean): Promise<string>;
  /** As Ctrl-C in a terminal. */
  interrupt(): void;
  /** Waits for its end. */
  done(): Promise<{ readonly exitCode: number | null; readonly printed: string }>;
}

const DEADLINE_MS = 6_000;

/** Runs curl with these arguments; `body` is what stands behind `--data-binary @-`. */
export function curl(args: readonly string[], body = ''): CurlRun {
  return run('curl', ['--silent', '--show-error', '--noproxy', '*', ...args], body);
}

/** Runs a line as a shell does. */
export function shell(line: string): CurlRun {
  return run('sh', ['-c', line], '');
}

function run(command: string, args: readonly string[], input: string): CurlRun {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  const closed = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  closed.catch(() => {}); // told by done(), where a test waits
  child.stdin.on('error', () => {}).end(input);
  const printed = (): string => Buffer.concat(pieces).toString();
  return {
    get printed() {
      return printed();
    },
    async prints(label, predicate) {
      await eventually(label, DEADLINE_MS, () => predicate(printed()));
      return printed();
    },
    interrupt: () => void child.kill('SIGINT'),
    async done() {
      const exitCode = await within(`${command} ends`, DEADLINE_MS, closed);
      return { exitCode, printed: printed() };
    },
  };
}
