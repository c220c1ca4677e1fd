import type { CacheStory } from '../core/exchange.ts';
import { totalInput, type TokenUsage } from '../core/usage.ts';
import { faultOf } from '../pipeline/record-line.ts';
import type { ExchangeRecord } from '../pipeline/exchange-record.ts';
import type { CacheStoryView, RequestRow, RequestStory, TokenCounts } from './contract.ts';
import { roundedMs, shownModel } from './shown.ts';
import { timelineOf } from './timeline.ts';

/**
 * One exchange that is over, as plain data with times of day: what the board is fed with, also from another isolate. It is
 * made from the record alone, which holds no prompt, answer or key.
 */
export interface FinishedExchange {
  readonly story: RequestStory;
  /** null: it took no slot, and so did not wait for one. */
  readonly queueMs: number | null;
  readonly writePremiumUsd: number;
}

/** @param zeroWallMs the time of day at which the clock of the record's times stood at 0. */
export function finishedExchange(record: ExchangeRecord, zeroWallMs: number): FinishedExchange {
  const { timings, usage, cost, cacheStory, receivedAtMs } = record;
  const story: RequestStory = {
    id: record.id,
    tenant: record.tenant,
    model: shownModel(record.model),
    operation: record.operation,
    receivedAtMs: Math.round(zeroWallMs + receivedAtMs),
    durationMs: roundedMs(record.endedAtMs - receivedAtMs),
    ttftMs: timings.firstContentAtMs === null ? null : roundedMs(timings.firstContentAtMs - receivedAtMs),
    status: record.status,
    end: record.end,
    fault: faultOf(record),
    cache: cacheStory?.result ?? record.cache,
    cacheReason: cacheStory?.reason ?? null,
    attempts: record.attempts.length,
    inputTokens: usage && totalInput(usage),
    outputTokens: usage && usage.output,
    costUsd: cost?.usd ?? null,
    savedUsd: cost?.savedUsd ?? null,
    isStream: record.isStream,
    refusal: record.refusal,
    timeline: timelineOf(record),
    tokens: usage && tokenCounts(usage),
    cacheStory: cacheStory && cacheStoryView(cacheStory),
    calls: record.attempts.map(({ sentAtMs, endedAtMs, ...call }) => {
      return { ...call, atMs: roundedMs(sentAtMs - receivedAtMs), durationMs: roundedMs(endedAtMs - sentAtMs) };
    }),
  };
  return { story, queueMs: timings.queueMs, writePremiumUsd: cost?.writePremiumUsd ?? 0 };
}

export function endedAtMs({ receivedAtMs, durationMs }: RequestRow): number {
  return receivedAtMs + durationMs;
}

/** Whether it counts as an error: a caller that leaves has decided so itself. */
export function isError({ fault, end }: RequestRow): boolean {
  return fault !== null && end !== 'client_abort';
}

function tokenCounts(usage: TokenUsage): TokenCounts {
  const { uncachedInput, cacheRead, cacheWrite5m, cacheWrite1h, output } = usage;
  return { uncached: uncachedInput, cacheRead, cacheWrite5m, cacheWrite1h, output };
}

function cacheStoryView({ expected, ...story }: CacheStory): CacheStoryView {
  const { readTokens = 0, write5mTokens = 0, write1hTokens = 0, uncachedTokens = 0 } = expected;
  return { ...story, expected: { readTokens, write5mTokens, write1hTokens, uncachedTokens } };
}

/** The line of a list that a story stands behind. */
export function requestRow(story: RequestStory): RequestRow {
  const { isStream: _, refusal: _r, timeline: _t, tokens: _k, cacheStory: _c, calls: _l, ...row } = story;
  return row;
}
