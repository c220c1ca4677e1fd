import type { Problem } from '../config/config.ts';
import { renderProblems } from '../config/render-problems.ts';
import type { ExchangeRecord } from '../pipeline/with-metering.ts';

/** One JSON object per line for Workers Logs: who, what, how long, how much. Never a prompt, an answer or a key. */
export function logRecord(record: ExchangeRecord): void {
  const { timings, usage, cost } = record;
  const sinceReceived = (atMs: number | null): number | null => (atMs === null ? null : atMs - record.receivedAtMs);
  write({
    id: record.id,
    tenant: record.tenant,
    operation: record.operation,
    model: record.model,
    status: record.status,
    end: record.end,
    refusal: record.refusal,
    cache: record.cache,
    attempts: record.attempts.length,
    queueMs: timings.queueMs,
    upstreamHeadMs: sinceReceived(timings.upstreamHeadAtMs),
    ttftMs: sinceReceived(timings.firstContentAtMs),
    durationMs: sinceReceived(record.endedAtMs),
    tokens: usage && {
      uncached: usage.uncachedInput,
      cacheRead: usage.cacheRead,
      cacheWrite5m: usage.cacheWrite5m,
      cacheWrite1h: usage.cacheWrite1h,
      output: usage.output,
    },
    costUsd: cost?.usd ?? null,
  });
}

export function logInternalError(error: unknown, requestId: string): void {
  write({
    id: requestId,
    message: 'internal error',
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}

export function logBreaker(upstream: string, from: string, to: string): void {
  write({ message: 'upstream', upstream, from, to });
}

export function logProblems(problems: readonly Problem[]): void {
  write({ message: 'settings', problems: renderProblems(problems) });
}

function write(line: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(line)); // oxlint-disable-line no-console -- a Worker has no other output
}
