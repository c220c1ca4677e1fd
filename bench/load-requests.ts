// Calls in a closed loop: each connection sends its next request when the answer to the last one is complete. With one
// connection and a pause this is "low load", for the time to the first byte; with more it keeps a proxy busy.

import { setTimeout as sleep } from 'node:timers/promises';

import { JSON_ANSWER, SSE_ANSWER } from './answers.ts';
import type { Shape } from './cells.ts';
import { connectionTo } from './load-connection.ts';
import type { Connection, Target } from './load-connection.ts';
import { bodyTemplate } from './request-bodies.ts';
import { quantilesOf } from './statistics.ts';
import type { Quantiles } from './statistics.ts';

export interface RequestsJob {
  readonly kind: 'requests';
  readonly target: Target;
  readonly bodyBytes: number;
  readonly shape: Shape;
  readonly requests: number;
  readonly connections: number;
  readonly pauseMs: number;
  /** No call is begun after this time: a slow proxy answers fewer calls instead of holding up the run. */
  readonly capMs: number;
}

export interface RequestsResult {
  readonly kind: 'requests';
  /** Calls that got an answer, right or wrong; what CPU time is divided by. */
  readonly calls: number;
  /** Reason → how often. */
  readonly failures: Readonly<Record<string, number>>;
  readonly wallMs: number;
  readonly firstByteMs: Quantiles;
}

let requestNumber = 0;

/** A number no earlier request of this load had. */
export function nextRequestNumber(): number {
  requestNumber += 1;
  return requestNumber;
}

export function expectedAnswer(shape: Shape): Buffer {
  return shape === 'json' ? JSON_ANSWER : SSE_ANSWER;
}

export async function runRequests(job: RequestsJob): Promise<RequestsResult> {
  const failures = new Map<string, number>();
  const firstByteMs: number[] = [];
  const startedMs = performance.now();
  let begun = 0;
  const mayBegin = (): boolean => begun < job.requests && performance.now() - startedMs < job.capMs;
  const work = async (connection: Connection): Promise<void> => {
    while (mayBegin()) {
      begun += 1;
      if (job.pauseMs > 0) await sleep(job.pauseMs);
      const outcome = await connection.call(
        bodyTemplate(job.bodyBytes, job.shape),
        nextRequestNumber(),
        expectedAnswer(job.shape),
      );
      if (outcome.kind === 'ok') firstByteMs.push(outcome.firstByteUs / 1000);
      else failures.set(outcome.reason, (failures.get(outcome.reason) ?? 0) + 1);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: job.connections }, () => work(connectionTo(job.target))));
  return {
    kind: 'requests',
    calls: begun,
    failures: Object.fromEntries(failures),
    wallMs: performance.now() - startedMs,
    firstByteMs: quantilesOf(firstByteMs),
  };
}
