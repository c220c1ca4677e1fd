import { describe, expect, it } from 'vitest';
import { faultOf, recordLine } from '../../src/pipeline/record-line.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';
import { usageOf } from './scripted.ts';

const RECORD: ExchangeRecord = {
  id: 'slip_1',
  tenant: 'acme',
  operation: 'messages',
  model: 'claude-opus-5',
  requestedModel: 'claude-opus-5',
  status: 200,
  end: 'complete',
  refusal: null,
  isStream: true,
  cache: 'hit',
  usage: usageOf({ uncachedInput: 1, cacheRead: 2, cacheWrite5m: 3, cacheWrite1h: 4, output: 5 }),
  cost: { usd: 0.5, savedUsd: 0.25, readSavingUsd: 0.5, writePremiumUsd: 0.25 },
  timings: {
    firstSentAtMs: 1_010,
    upstreamSentAtMs: 1_510,
    upstreamHeadAtMs: 1_600.04,
    firstContentAtMs: 1_700,
    overheadMs: 0.44,
    queueMs: 9.56,
    holdMs: 0,
    firstEventMs: 0.1,
  },
  cacheStory: {
    result: 'hit',
    reason: null,
    at: 'system[1]',
    byte: 7,
    added: [],
    flight: 'none',
    expected: {},
  },
  attempts: [
    { upstream: 'main', outcome: 'overloaded', status: 529, sentAtMs: 1_010, endedAtMs: 1_020 },
    { upstream: 'other', outcome: 'ok', status: 200, sentAtMs: 1_510, endedAtMs: 2_000 },
  ],
  waits: [],
  traceparent: null,
  receivedAtMs: 1_000,
  endedAtMs: 2_000,
};

describe('the line of a request', () => {
  it('tells who, what, how long, how much, and every call it took', () => {
    expect(recordLine(RECORD)).toEqual({
      id: 'slip_1',
      tenant: 'acme',
      operation: 'messages',
      model: 'claude-opus-5',
      stream: true,
      status: 200,
      end: 'complete',
      refusal: null,
      fault: null,
      cache: 'hit',
      cacheReason: null,
      queueMs: 9.6,
      holdMs: 0,
      overheadMs: 0.4,
      upstreamHeadMs: 600,
      ttftMs: 700,
      durationMs: 1_000,
      attempts: [
        { upstream: 'main', outcome: 'overloaded', status: 529, sentMs: 10, durationMs: 10 },
        { upstream: 'other', outcome: 'ok', status: 200, sentMs: 510, durationMs: 490 },
      ],
      tokens: { uncached: 1, cacheRead: 2, cacheWrite5m: 3, cacheWrite1h: 4, output: 5 },
      costUsd: 0.5,
      savedUsd: 0.25,
    });
  });
});

describe('the fault', () => {
  it.each<[string, Partial<ExchangeRecord>, ReturnType<typeof faultOf>]>([
    ['nobody’s', { status: 200, end: 'complete' }, null],
    ['the caller’s, who sent what is wrong', { status: 400, end: 'complete' }, 'caller'],
    ['the caller’s, who left', { status: 499, end: 'client_abort' }, 'caller'],
    ['the caller’s, who does not read', { status: 200, end: 'reader_stalled' }, 'caller'],
    ['the caller’s, whose queue is full', { status: 429, end: 'refused', refusal: 'queue_full' }, 'caller'],
    ['the upstream’s, at its limit', { status: 429, end: 'complete' }, 'upstream'],
    ['the upstream’s, overloaded', { status: 529, end: 'complete' }, 'upstream'],
    ['the upstream’s, whose stream broke', { status: 200, end: 'truncated' }, 'upstream'],
    ['the upstream’s, not reached', { status: 502, end: 'refused', refusal: 'upstream_unreachable' }, 'upstream'],
    ['the gateway’s, which ends', { status: 503, end: 'refused', refusal: 'draining' }, 'gateway'],
    ['the gateway’s, whose key is refused', { status: 502, end: 'refused', refusal: 'upstream_credential_refused' }, 'gateway'], // prettier-ignore
    ['the gateway’s, by a bug', { status: 500, end: 'refused', refusal: 'internal' }, 'gateway'],
  ])('is %s', (_whose, part, fault) => {
    expect(faultOf({ ...RECORD, ...part })).toBe(fault);
  });
});
