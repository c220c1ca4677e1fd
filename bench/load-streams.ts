// Open streams: each holds a connection on which the mock sends one stamped event a second. The delay of an event is the
// time between the mock's write and this process's read, on the clock both share. Events are counted against what a second
// per stream must bring, and a stream that ends is counted as cut: a proxy that loses streams must not look fast.

import net from 'node:net';

import { STAMP_DIGITS, STAMP_MARK, nowUs } from './answers.ts';
import { connectionTo, writeRequest } from './load-connection.ts';
import type { Connection, Target } from './load-connection.ts';
import { expectedAnswer, nextRequestNumber } from './load-requests.ts';
import { bodyTemplate } from './request-bodies.ts';
import { quantilesOf } from './statistics.ts';
import type { Quantiles } from './statistics.ts';

export interface OpenJob {
  readonly kind: 'open';
  readonly target: Target;
  readonly streams: number;
  /** Streams being opened at the same time. */
  readonly parallel: number;
}

export interface WatchJob {
  readonly kind: 'watch';
  readonly watchMs: number;
  /** Large JSON calls a second beside the streams; 0 for none. */
  readonly burstPerSecond: number;
  readonly burstBodyBytes: number;
}

export interface OpenResult {
  readonly kind: 'open';
  readonly opened: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly wallMs: number;
}

export interface WatchResult {
  readonly kind: 'watch';
  readonly events: number;
  readonly expectedEvents: number;
  /** Streams that ended since they were opened; they should all be alive. */
  readonly cutStreams: number;
  readonly delayMs: Quantiles;
  readonly burst: {
    readonly calls: number;
    readonly failures: Readonly<Record<string, number>>;
    readonly totalMs: Quantiles;
  };
}

const STREAM_BODY_BYTES = 2048;
const STREAMS_PER_ADDRESS = 20_000;
const OPEN_DEADLINE_MS = 30_000;
const DELAY_BYTES = STAMP_MARK.length + STAMP_DIGITS;

const open = new Set<net.Socket>();
let openTarget: Target | undefined;
let cutStreams = 0;
let delaysMs: number[] = [];

export async function openStreams(job: OpenJob): Promise<OpenResult> {
  closeStreams();
  openTarget = job.target;
  const failures = new Map<string, number>();
  const startedMs = performance.now();
  let begun = 0;
  const work = async (): Promise<void> => {
    while (begun < job.streams) {
      begun += 1;
      const failure = await openStream(job.target, sourceAddress(begun));
      if (failure !== undefined) failures.set(failure, (failures.get(failure) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: job.parallel }, work));
  const wallMs = performance.now() - startedMs;
  return { kind: 'open', opened: open.size, failures: Object.fromEntries(failures), wallMs };
}

export async function watchStreams(job: WatchJob): Promise<WatchResult> {
  const burst = job.burstPerSecond > 0 ? startBurst(job) : undefined;
  delaysMs = [];
  const startedMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, job.watchMs));
  const seen = delaysMs;
  delaysMs = [];
  const expectedEvents = Math.round((open.size + cutStreams) * ((performance.now() - startedMs) / 1000));
  const burstResult = (await burst?.stop()) ?? { calls: 0, failures: {}, totalMs: quantilesOf([]) };
  return {
    kind: 'watch',
    events: seen.length,
    expectedEvents,
    cutStreams,
    delayMs: quantilesOf(seen),
    burst: burstResult,
  };
}

export function closeStreams(): void {
  for (const socket of open) {
    socket.removeAllListeners('close');
    socket.destroy();
  }
  open.clear();
  cutStreams = 0;
}

// An address has some 28,000 ports towards one proxy; the next thousands come from the next address.
function sourceAddress(stream: number): string | undefined {
  const block = Math.floor((stream - 1) / STREAMS_PER_ADDRESS);
  return block === 0 ? undefined : `127.0.0.${1 + block}`;
}

/** Resolves with the first event's arrival (undefined) or the reason why there was none. */
function openStream(target: Target, localAddress: string | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    const from = localAddress === undefined ? {} : { localAddress };
    const socket = net.connect({ port: target.port, host: '127.0.0.1', noDelay: true, ...from });
    const fail = (reason: string): void => {
      socket.destroy();
      resolve(reason);
    };
    const timer = setTimeout(() => fail(`no event within ${OPEN_DEADLINE_MS} ms`), OPEN_DEADLINE_MS);
    let head = '';
    const onOpening = (bytes: Buffer): void => {
      head += bytes.toString('latin1');
      if (head.startsWith('HTTP/1.1 200') ? !head.includes('content_block_start') : !head.includes('\r\n\r\n')) return;
      clearTimeout(timer);
      socket.off('data', onOpening);
      if (!head.startsWith('HTTP/1.1 200')) return fail(head.slice(0, head.indexOf('\r\n')));
      hold(socket);
      resolve(undefined);
    };
    socket.on('data', onOpening);
    socket.on('error', (error: NodeJS.ErrnoException) => fail(`socket: ${error.code ?? error.message}`));
    writeRequest(socket, target, bodyTemplate(STREAM_BODY_BYTES, 'sse'), nextRequestNumber());
  });
}

function hold(socket: net.Socket): void {
  let carried: Buffer | undefined;
  open.add(socket);
  socket.on('data', (bytes: Buffer) => {
    carried = readStamps(carried === undefined ? bytes : Buffer.concat([carried, bytes]));
  });
  socket.on('close', () => {
    if (open.delete(socket)) cutStreams += 1;
  });
}

/** Notes the delay of each whole stamp and gives back the tail in which one may have begun. */
function readStamps(bytes: Buffer): Buffer | undefined {
  const readUs = nowUs();
  let at = 0;
  for (;;) {
    const mark = bytes.indexOf(STAMP_MARK, at);
    if (mark === -1) break;
    if (mark + DELAY_BYTES > bytes.length) return bytes.subarray(mark);
    at = mark + DELAY_BYTES;
    delaysMs.push((readUs - Number(bytes.toString('latin1', mark + STAMP_MARK.length, at))) / 1000);
  }
  const tail = bytes.subarray(Math.max(at, bytes.length - STAMP_MARK.length + 1));
  return tail.length > 0 && tail.includes(STAMP_MARK[0] ?? 0) ? tail : undefined;
}

// An open loop: a call begins when its time has come, whether or not earlier ones have been answered.
function startBurst(job: WatchJob): { stop(): Promise<WatchResult['burst']> } {
  const target = openTarget;
  if (target === undefined) throw new Error('a burst needs open streams');
  const idle: Connection[] = [];
  const totalMs: number[] = [];
  const failures: Record<string, number> = {};
  const calls: Array<Promise<void>> = [];
  const begin = async (): Promise<void> => {
    const connection = idle.pop() ?? connectionTo(target);
    const body = bodyTemplate(job.burstBodyBytes, 'json');
    const outcome = await connection.call(body, nextRequestNumber(), expectedAnswer('json'));
    if (outcome.kind === 'ok') totalMs.push(outcome.totalUs / 1000);
    else failures[outcome.reason] = (failures[outcome.reason] ?? 0) + 1;
    idle.push(connection);
  };
  const timer = setInterval(() => calls.push(begin()), 1000 / job.burstPerSecond);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(calls);
      for (const connection of idle) connection.close();
      return { calls: calls.length, failures, totalMs: quantilesOf(totalMs) };
    },
  };
}
