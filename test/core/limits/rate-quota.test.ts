import { beforeEach, describe, expect, it } from 'vitest';
import type { AttemptResult } from '../../../src/core/attempt.ts';
import { createRateQuota, type Charge, type RateQuota } from '../../../src/core/limits/rate-quota.ts';

const WALL_MS = Date.UTC(2026, 10, 22);
const OPUS = 'opus-4';

let quota: RateQuota;
let nowMs: number;
beforeEach(() => {
  quota = createRateQuota();
  nowMs = 0;
});

const book = (tokens: number, modelClass = OPUS): Charge => quota.book(modelClass, tokens, nowMs);
const learn = (charge: Charge, headers: Record<string, string>): void =>
  quota.learn(charge, headers, nowMs, WALL_MS + nowMs);
const kindOf = (tokens: number, modelClass = OPUS): string => quota.verdict(modelClass, tokens, nowMs).kind;
const waitMs = (tokens: number, modelClass = OPUS): number => {
  const verdict = quota.verdict(modelClass, tokens, nowMs);
  return 'untilMs' in verdict ? verdict.untilMs - nowMs : 0;
};
const ok = (uncachedTokens: number | null = null): AttemptResult => ({ kind: 'ok', ttftMs: null, uncachedTokens });
const limited = (retryAfterMs: number | null): AttemptResult => ({
  kind: 'failed',
  failure: { kind: 'rate_limited', retryAfterMs, shouldRetry: null },
});

type Figures = readonly [limit: number | string, remaining: number | string, resetInMs?: number];

function headersOf(figures: Readonly<Record<string, Figures>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, [limit, remaining, resetInMs]] of Object.entries(figures)) {
    headers[`anthropic-ratelimit-${name}-limit`] = String(limit);
    headers[`anthropic-ratelimit-${name}-remaining`] = String(remaining);
    if (resetInMs !== undefined)
      headers[`anthropic-ratelimit-${name}-reset`] = new Date(WALL_MS + nowMs + resetInMs).toISOString();
  }
  return headers;
}

/** A class of which an answer has just said how many input tokens are left. */
function learned(limit: number, remaining: number): void {
  learn(book(0), headersOf({ 'input-tokens': [limit, remaining] }));
}

describe('before the first answer', () => {
  it('half a million tokens may be on their way, and no more', () => {
    for (let index = 0; index < 25; index++) {
      expect(kindOf(20_000)).toBe('fits');
      book(20_000);
    }
    expect(kindOf(20_000)).toBe('unknown');
    expect(kindOf(20_000, 'haiku-5-5')).toBe('fits');
  });

  it('a single request may go whatever its size', () => {
    expect(kindOf(900_000)).toBe('fits');
    book(900_000);
    expect(kindOf(1)).toBe('unknown');
  });

  it('what ended without an answer makes room', () => {
    const charge = book(500_000);
    quota.settle(charge, { kind: 'ignored' }, nowMs);
    expect(kindOf(400_000)).toBe('fits');
  });

  it('an answer without figures opens the gate: there are upstreams that send none', () => {
    const charge = book(500_000);
    learn(charge, {});
    for (let index = 0; index < 100; index++) {
      expect(kindOf(500_000)).toBe('fits');
      book(500_000);
    }
  });
});

describe('the tokens that are left', () => {
  it('are what an answer says, less what its rounding may hide', () => {
    learned(600_000, 100_000);
    expect([kindOf(99_500), kindOf(99_501)]).toEqual(['fits', 'wait']);
  });

  it('grow back evenly, in a minute', () => {
    learned(600_000, 0);
    expect(waitMs(10_000)).toBe(1_000);
    nowMs += 999;
    expect(kindOf(10_000)).toBe('wait');
    nowMs += 1;
    expect(kindOf(10_000)).toBe('fits');
  });

  it('do not contain what was sent after the call that was answered', () => {
    learned(600_000, 600_000);
    const first = book(100_000);
    for (const later of [150_000, 50_000]) book(later);
    learn(first, headersOf({ 'input-tokens': [600_000, 500_000] }));
    expect([kindOf(299_500), kindOf(299_501)]).toEqual(['fits', 'wait']);
  });

  it('are not taken from the late answer to an early call', () => {
    const [early, late] = [book(10_000), book(10_000)];
    learn(late, headersOf({ 'input-tokens': [600_000, 580_000] }));
    learn(early, headersOf({ 'input-tokens': [600_000, 90_000] }));
    expect(kindOf(500_000)).toBe('fits');
  });

  it('are corrected by what a request turned out to need, where no figure contains it', () => {
    learned(600_000, 600_000);
    const charge = book(400_000);
    quota.settle(charge, ok(100_000), nowMs);
    expect([kindOf(500_000), kindOf(500_001)]).toEqual(['fits', 'wait']);
  });

  it('are not corrected twice where the upstream has counted already', () => {
    learned(600_000, 600_000);
    const charge = book(400_000);
    learn(charge, headersOf({ 'input-tokens': [600_000, 400_000] }));
    quota.settle(charge, ok(200_000), nowMs);
    expect(kindOf(399_501)).toBe('wait');
  });

  it('suffice for a request that is larger than the limit when the bucket is full', () => {
    learned(100_000, 50_000);
    expect(kindOf(900_000)).toBe('wait');
    nowMs += waitMs(900_000);
    expect(nowMs).toBeLessThanOrEqual(31_000);
    expect(kindOf(900_000)).toBe('fits');
  });

  it('may be owed to an overdrawn bucket, which only the reset tells', () => {
    learn(book(0), headersOf({ 'input-tokens': [600_000, 0, 90_000] }));
    expect(waitMs(10_000)).toBe(31_000);
  });

  it('are those of `tokens` where the input has no figures of its own', () => {
    learn(book(0), headersOf({ tokens: [600_000, 100_000] }));
    expect([kindOf(99_500), kindOf(99_501)]).toEqual(['fits', 'wait']);
  });

  it('of one class are not those of another', () => {
    learned(600_000, 0);
    learn(book(0, 'haiku-5-5'), headersOf({ 'input-tokens': [600_000, 600_000] }));
    expect([kindOf(1_000), kindOf(1_000, 'haiku-5-5')]).toEqual(['wait', 'fits']);
  });
});

describe('requests and output', () => {
  it('let nothing go while no request is left', () => {
    learn(book(0), headersOf({ requests: [60, 1] }));
    book(0);
    expect(waitMs(0)).toBe(1_000);
  });

  it('let nothing go while no output is left, until some is', () => {
    learn(book(0), headersOf({ 'output-tokens': [60_000, 0] }));
    expect(waitMs(0)).toBe(1_000);
    nowMs += 1_000;
    expect(kindOf(0)).toBe('fits');
  });
});

describe('a 429', () => {
  it('shuts its class for as long as it says, and no other', () => {
    quota.settle(book(1_000), limited(7_000), nowMs);
    expect(quota.verdict(OPUS, 1, nowMs)).toEqual({ kind: 'paused', untilMs: 7_000 });
    expect(kindOf(1, 'haiku-5-5')).toBe('fits');
    nowMs = 7_000;
    expect(kindOf(1)).toBe('fits');
  });

  it('that does not say how long shuts it for a second', () => {
    quota.settle(book(1_000), limited(null), nowMs);
    expect(waitMs(1)).toBe(1_000);
  });

  it('that says a week is put to the test after five minutes', () => {
    quota.settle(book(1_000), limited(7 * 86_400_000), nowMs);
    expect(waitMs(1)).toBe(300_000);
  });

  it.each(['spend_limit', 'acceleration', 'overloaded', 'concurrent_connections'] as const)(
    'or 529 of another kind (%s) shuts no class',
    (kind) => {
      quota.settle(book(1), { kind: 'failed', failure: { kind, retryAfterMs: 9_000, shouldRetry: null } }, nowMs);
      expect(kindOf(1)).toBe('fits');
    },
  );

  it('while all buckets had room says that bursts are too large: less may go at once, for a while', () => {
    learned(600_000, 600_000);
    const atOnce = (): number => {
      let count = 0;
      for (; count < 100 && kindOf(10_000) === 'fits'; count++) book(10_000);
      return count;
    };
    const refused = book(10_000);
    quota.settle(refused, limited(1_000), nowMs);
    nowMs += 1_000;
    expect(atOnce()).toBe(1); // a second's worth
    nowMs += 30_000;
    expect(atOnce()).toBeGreaterThan(10);
    nowMs += 120_000;
    expect(atOnce()).toBe(60);
  });

  it('of a subscription that is used up shuts its class until the reset it names in seconds', () => {
    const reset = String((WALL_MS + 40_000) / 1_000);
    const charge = book(1);
    learn(charge, { 'anthropic-ratelimit-unified-status': 'rejected', 'anthropic-ratelimit-unified-reset': reset });
    expect(waitMs(1)).toBe(40_000);
  });
});

describe('figures that cannot be true', () => {
  const hostile: readonly [string, Record<string, Figures>][] = [
    ['a limit of 0', { 'input-tokens': [0, 0, 9e9], requests: [0, 0] }],
    ['negative numbers', { 'input-tokens': [-5, -5], requests: [-1, -1] }],
    ['no numbers', { 'input-tokens': ['NaN', 'Infinity'], requests: ['', 'many'] }],
    ['a limit of one token and a reset in a century', { 'input-tokens': [1, 0, 3e12], requests: [1, 0, 3e12] }],
    ['a reset that has passed', { 'input-tokens': [1_000, 0, -9e9], 'output-tokens': [1, 0, -1] }],
    ['more left than there is', { 'input-tokens': [1_000, 999_999_999] }],
  ];

  it.each(hostile)('(%s) shut nothing for longer than two minutes', (_name, figures) => {
    learn(book(1), headersOf(figures));
    for (let round = 0; round < 5; round++) {
      expect(waitMs(1_000_000)).toBeLessThanOrEqual(120_000);
      nowMs += waitMs(1_000_000);
      expect(kindOf(1_000_000)).toBe('fits');
      learn(book(1_000_000), headersOf(figures));
    }
  });

  it('in a date do not hide the figures beside it', () => {
    learn(book(0), {
      ...headersOf({ 'input-tokens': [600_000, 0] }),
      'anthropic-ratelimit-input-tokens-reset': 'soon',
    });
    expect(waitMs(10_000)).toBe(1_000);
  });
});

describe('the estimate and the gauge', () => {
  it('tell when all that waits will have been served', () => {
    learned(600_000, 0);
    expect(quota.serveInMs(OPUS, 4, 1_200_000, nowMs)).toBe(120_000);
    expect(quota.serveInMs('unheard of', 4, 1_200_000, nowMs)).toBe(0);
  });

  it('tell what is left of each kind, never less than nothing, and when it will be full', () => {
    learn(book(0), headersOf({ requests: [50, 40, 12_000], 'input-tokens': [600_000, 9_000, 59_000] }));
    book(30_000);
    expect(quota.readings(nowMs)).toEqual([
      { modelClass: OPUS, kind: 'requests', limit: 50, remaining: 39, resetInMs: 12_000 },
      { modelClass: OPUS, kind: 'input_tokens', limit: 600_000, remaining: 0, resetInMs: 59_000 },
    ]);
  });
});
