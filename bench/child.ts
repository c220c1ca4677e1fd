// Starts and stops the processes of a run: proxies, mock, load. Each gets the highest file limit the machine allows, a core
// to stay on where asked, and a log file; none outlives the runner: `stopAll` ends what is still there, by its own pid.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 5_000;
const POLL_MS = 25;

export interface ChildPlan {
  readonly label: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A core number as taskset takes it; left out, the scheduler decides. */
  readonly core: string | undefined;
  readonly ipc?: boolean;
}

export interface Child {
  readonly label: string;
  readonly pid: number;
  readonly process: ChildProcess;
  readonly logFile: string;
  stop(): Promise<void>;
}

const running = new Set<Child>();
let runFolder: string | undefined;

/** A folder for this run's configurations and logs; it goes when the run ends. */
export function temporaryFolder(): string {
  runFolder ??= mkdtempSync(join(tmpdir(), 'slipstream-bench-'));
  return runFolder;
}

let started = 0;
let isOver = false;

export function startChild(plan: ChildPlan): Child {
  if (isOver) throw new Error(`${plan.label} is not started: the run is over`);
  started += 1;
  const logFile = join(temporaryFolder(), `${started}-${plan.label}.log`);
  const log = openSync(logFile, 'a');
  const pin = plan.core === undefined ? [] : ['taskset', '-c', plan.core];
  const child = spawn(
    '/bin/sh',
    ['-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh', ...pin, plan.command, ...plan.args],
    {
      env: { ...process.env, ...plan.env },
      stdio: plan.ipc === true ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
    },
  );
  closeSync(log);
  if (child.pid === undefined) throw new Error(`${plan.label}: /bin/sh did not start`);
  const made: Child = { label: plan.label, pid: child.pid, process: child, logFile, stop: () => stopChild(made) };
  running.add(made);
  return made;
}

export async function waitForPort(child: Child, port: number): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  while (Date.now() < deadline) {
    if (hasEnded(child))
      throw new Error(`${child.label} ended before it listened on port ${port}:\n${lastLines(child)}`);
    if (await accepts(port)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`${child.label} did not listen on port ${port} within ${START_DEADLINE_MS} ms:\n${lastLines(child)}`);
}

/** A port that was free a moment ago, for proxies that cannot say which one they took. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export function isOnPath(command: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders.some((folder) => existsSync(join(folder, command)));
}

export async function stopAll(): Promise<void> {
  isOver = true;
  await Promise.all([...running].map((child) => child.stop()));
  if (runFolder !== undefined) rmSync(runFolder, { recursive: true, force: true });
  runFolder = undefined;
}

export function isStopping(): boolean {
  return isOver;
}

export function lastLines(child: Child): string {
  return readFileSync(child.logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
}

function hasEnded(child: Child): boolean {
  return child.process.exitCode !== null || child.process.signalCode !== null;
}

async function stopChild(child: Child): Promise<void> {
  running.delete(child);
  if (hasEnded(child)) return;
  const ended = new Promise<void>((resolve) => child.process.once('exit', () => resolve()));
  child.process.kill('SIGTERM');
  const timer = setTimeout(() => child.process.kill('SIGKILL'), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(timer);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
