import { describe, expect, it } from 'vitest';
import { NO_USAGE, type TokenUsage } from '../../src/core/usage.ts';
import {
  createTally,
  firstTokensSince,
  hitRatioOf,
  percentileOf,
  requestsOf,
  sumOf,
} from '../../src/node/demo/tally.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';
import { recordOf } from '../console/records.ts';

function record(changes: Partial<ExchangeRecord>): ExchangeRecord {
  return recordOf({ tenant: 'chat', cache: 'off', cost: null, timings: { queueMs: 0 }, ...changes });
}

function usage(changes: Partial<TokenUsage>): TokenUsage {
  return { ...NO_USAGE, ...changes };
}

function firstContentAt(firstContentAtMs: number): ExchangeRecord['timings'] {
  return { ...record({}).timings, firstContentAtMs };
}

describe('the tally of records', () => {
  it('puts every request in exactly one of answered, failed and left', () => {
    const tally = createTally();
    tally.record(record({}));
    tally.record(record({ status: 429, end: 'refused', refusal: 'queue_full' }));
    tally.record(record({ status: 529 }));
    tally.record(record({ end: 'truncated' }));
    tally.record(record({ end: 'upstream_error' }));
    tally.record(record({ status: 499, end: 'client_abort' }));
    tally.record(record({ end: 'client_abort' }));
    expect(tally.of('chat')).toMatchObject({ answered: 1, failed: 4, left: 2 });
    expect(requestsOf(tally.of('chat'))).toBe(7);
  });

  it('counts message requests only', () => {
    const tally = createTally();
    tally.record(record({ operation: 'count_tokens' }));
    tally.record(record({ operation: 'models' }));
    expect(requestsOf(tally.of('chat'))).toBe(0);
  });

  it('keeps tenants apart and adds them up for the total', () => {
    const tally = createTally();
    const cost = { usd: 0.5, savedUsd: -0.25, readSavingUsd: 0, writePremiumUsd: 0.25 };
    tally.record(record({ tenant: 'chat', usage: usage({ cacheRead: 60, output: 3 }), cost }));
    tally.record(
      record({ tenant: 'rag', usage: usage({ cacheWrite5m: 30, cacheWrite1h: 6, uncachedInput: 4 }), cost }),
    );
    const total = sumOf([tally.of('chat'), tally.of('rag'), tally.of('nobody')]);
    expect(tally.of('rag').tokens.cacheRead).toBe(0);
    expect(total.tokens).toEqual({ uncachedInput: 4, cacheRead: 60, cacheWrite5m: 30, cacheWrite1h: 6, output: 3 });
    expect(total).toMatchObject({ usd: 1, savedUsd: -0.5 });
    expect(hitRatioOf(total)).toBe(0.6);
  });

  it('has no hit ratio before there is any input', () => {
    expect(hitRatioOf(createTally().of('chat'))).toBeNull();
  });

  it('takes TTFT from the arrival to the first content, of the requests that ended in the window', () => {
    const tally = createTally();
    tally.record(record({ receivedAtMs: 100, timings: firstContentAt(400), endedAtMs: 1_000 }));
    tally.record(record({ receivedAtMs: 900, timings: firstContentAt(1_400), endedAtMs: 2_000 }));
    tally.record(record({ receivedAtMs: 950, endedAtMs: 2_000, status: 429, end: 'refused' }));
    expect(firstTokensSince(tally.of('chat'), 0)).toEqual([300, 500]);
    expect(firstTokensSince(tally.of('chat'), 1_500)).toEqual([500]);
  });

  it('forgets the oldest TTFT beyond an hour of one answer a second', () => {
    const tally = createTally();
    for (let at = 0; at < 3_700; at++) tally.record(record({ timings: firstContentAt(at), endedAtMs: at }));
    expect(tally.of('chat').firstTokens).toHaveLength(3_600);
    expect(tally.of('chat').firstTokens[0]?.ttftMs).toBe(100);
    expect(requestsOf(tally.of('chat'))).toBe(3_700);
  });
});

describe('a percentile', () => {
  it('is a value that was observed: the nearest rank', () => {
    const values = [50, 10, 40, 20, 30];
    expect(percentileOf(values, 50)).toBe(30);
    expect(percentileOf(values, 95)).toBe(50);
    expect(percentileOf(values, 0)).toBe(10);
  });

  it('is unknown where nothing was observed', () => {
    expect(percentileOf([], 50)).toBeNull();
  });
});
