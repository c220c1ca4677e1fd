import pino, { type Logger } from 'pino';
import type { ExchangeRecord } from '../pipeline/with-metering.ts';

/** One JSON line per request on stdout: who, what, how long, how much. Never a prompt, an answer or a key. */
export function createLog(): Logger {
  return pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 1, sync: false }));
}

export function logRecord(log: Logger, record: ExchangeRecord): void {
  const { timings, usage, cost } = record;
  const sinceReceived = (atMs: number | null): number | null =>
    atMs === null ? null : tenths(atMs - record.receivedAtMs);
  log.info({
    id: record.id,
    tenant: record.tenant,
    operation: record.operation,
    model: record.model,
    status: record.status,
    end: record.end,
    refusal: record.refusal,
    cache: record.cache,
    attempts: record.attempts.length,
    queueMs: timings.queueMs === null ? null : tenths(timings.queueMs),
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

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
