import { ERRORS } from '../core/errors.ts';
import type { ExchangeRecord } from './exchange-record.ts';

/** What the log says of one finished exchange, on any runtime: never a prompt, an answer or a key. Times are milliseconds. */
export function recordLine(record: ExchangeRecord): Readonly<Record<string, unknown>> {
  const { timings, usage, cost, cacheStory, receivedAtMs } = record;
  const sinceReceived = (atMs: number | null): number | null => (atMs === null ? null : tenths(atMs - receivedAtMs));
  return {
    id: record.id,
    tenant: record.tenant,
    operation: record.operation,
    model: record.model,
    stream: record.isStream,
    status: record.status,
    end: record.end,
    refusal: record.refusal,
    fault: faultOf(record),
    cache: cacheStory?.result ?? record.cache,
    cacheReason: cacheStory?.reason ?? null,
    queueMs: timings.queueMs === null ? null : tenths(timings.queueMs),
    holdMs: tenths(timings.holdMs),
    overheadMs: timings.overheadMs === null ? null : tenths(timings.overheadMs),
    upstreamHeadMs: sinceReceived(timings.upstreamHeadAtMs),
    ttftMs: sinceReceived(timings.firstContentAtMs),
    durationMs: sinceReceived(record.endedAtMs),
    attempts: record.attempts.map(({ upstream, outcome, status, sentAtMs, endedAtMs }) => ({
      upstream,
      outcome,
      status,
      sentMs: sinceReceived(sentAtMs),
      durationMs: tenths(endedAtMs - sentAtMs),
    })),
    tokens: usage && {
      uncached: usage.uncachedInput,
      cacheRead: usage.cacheRead,
      cacheWrite5m: usage.cacheWrite5m,
      cacheWrite1h: usage.cacheWrite1h,
      output: usage.output,
    },
    costUsd: cost?.usd ?? null,
    savedUsd: cost?.savedUsd ?? null,
  };
}

/** Who has to look into it; null where nothing went wrong. An upstream's rate limit is the upstream's. */
export function faultOf({
  status,
  end,
  refusal,
}: Pick<ExchangeRecord, 'status' | 'end' | 'refusal'>): 'caller' | 'gateway' | 'upstream' | null {
  if (refusal !== null) return ERRORS[refusal].fault;
  if (end === 'client_abort' || end === 'reader_stalled') return 'caller';
  if (end === 'truncated' || end === 'upstream_error') return 'upstream';
  if (status < 400) return null;
  return status < 500 && status !== 429 ? 'caller' : 'upstream';
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
