// What the figures depend on besides the code: the machine, the Node, the commit. Written into the JSON beside them.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

import { isOnPath } from './child.ts';

export interface Machine {
  readonly node: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly openFilesLimit: number;
  readonly loadAverageAtStart: readonly number[];
  readonly commit: string;
  readonly hasUncommittedChanges: boolean;
  readonly date: string;
}

/** Where the processes run: the proxy alone on the last core, mock and load on the others. */
export type Placement = { kind: 'pinned'; proxyCore: string; otherCores: string } | { kind: 'free'; reason: string };

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OPEN_FILES_CEILING = 60_000;

export function describeMachine(): Machine {
  return {
    node: process.version,
    cpuModel: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    openFilesLimit: openFilesLimit(),
    loadAverageAtStart: os.loadavg(),
    commit: git('rev-parse', 'HEAD') ?? 'none',
    hasUncommittedChanges: (git('status', '--porcelain') ?? '') !== '',
    date: new Date().toISOString(),
  };
}

/** The hard limit, which each process of a run raises its own to; a proxy needs two files per open stream. */
export function openFilesLimit(): number {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  const hardLimit = line === 'unlimited' ? OPEN_FILES_CEILING : Number(line ?? 1024);
  return Math.min(hardLimit, OPEN_FILES_CEILING);
}

export function placementFor(wantsPin: boolean): Placement {
  const cores = os.availableParallelism();
  if (!wantsPin) return { kind: 'free', reason: '--no-pin' };
  if (cores < 2) return { kind: 'free', reason: 'one core only' };
  if (!isOnPath('taskset')) return { kind: 'free', reason: 'no taskset (apt-get install -y util-linux)' };
  return { kind: 'pinned', proxyCore: String(cores - 1), otherCores: cores === 2 ? '0' : `0-${cores - 2}` };
}

function git(...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
