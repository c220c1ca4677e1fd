// What a process has cost so far, from /proc: CPU of all its threads and of its children, and its memory.
// CPU comes from the scheduler's nanoseconds (task/*/schedstat), since the 10 ms ticks of `stat` are too coarse for nginx;
// a kernel that keeps no schedstat is read by `stat`. Neither counts the work of processes outside the tree.

import { readFileSync, readdirSync } from 'node:fs';

export interface Memory {
  readonly rssBytes: number;
  /** Shared pages divided among those who share them; NaN where the kernel does not say. */
  readonly pssBytes: number;
}

const STAT_TICK_MS = 10;

/** NaN when the process has ended: what it cost is no longer known. */
export function cpuMsOf(rootPid: number): number {
  if (read(`/proc/${rootPid}/stat`) === undefined) return Number.NaN;
  return sum(processTree(rootPid).map((pid) => scheduledMs(pid) ?? tickedMs(pid)));
}

export function memoryOf(rootPid: number): Memory {
  const pids = processTree(rootPid);
  return {
    rssBytes: sum(pids.map((pid) => kilobytes(`/proc/${pid}/status`, 'VmRSS') * 1024)),
    pssBytes: sum(pids.map((pid) => kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss') * 1024)),
  };
}

/** The process and all below it: nginx works in a child of the one that was started. */
function processTree(rootPid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name)) parents.set(Number(name), parentOf(Number(name)));
  }
  const tree = [rootPid];
  for (let index = 0; index < tree.length; index += 1) {
    for (const [pid, parent] of parents) if (parent === tree[index]) tree.push(pid);
  }
  return tree;
}

function scheduledMs(pid: number): number | undefined {
  const folder = `/proc/${pid}/task`;
  const nanoseconds = listed(folder).map((thread) => Number(read(`${folder}/${thread}/schedstat`)?.split(' ')[0] ?? 0));
  const totalMs = sum(nanoseconds) / 1e6;
  return totalMs > 0 ? totalMs : undefined;
}

function tickedMs(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * STAT_TICK_MS;
}

function parentOf(pid: number): number {
  return Number(statFields(pid)[1] ?? -1);
}

// The fields after the command's name, which may itself hold spaces and brackets.
function statFields(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`) ?? '';
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function kilobytes(file: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(read(file) ?? '');
  return Number(found?.[1] ?? Number.NaN);
}

// A process or thread may end between the listing and the reading.
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
