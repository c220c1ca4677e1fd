import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttemptResult, FailureKind } from '../../src/core/attempt.ts';
import type { HeaderMap } from '../../src/core/headers.ts';
import { createMemoryUpstreamCapacity } from '../../src/state/memory-upstream-capacity.ts';
import type { CapacityAsk, CapacityGrant, UpstreamCapacity } from '../../src/state/upstream-capacity.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

/** What is certain of the memory engine alone; what every engine promises is in test/contract. */
const NEVER = new AbortController().signal;
const FINE: AttemptResult = { kind: 'ok', ttftMs: null, uncachedTokens: null };

/** A limit that is moved by hand and remembers what it was told. */
function createMovableLimit(ceiling: number) {
  const reports: [AttemptResult['kind'], number][] = [];
  const limit = {
    current: ceiling,
    reports,
    setCeiling: (next: number) => void (limit.current = next),
    report: (result: AttemptResult, inUse: number) => void reports.push([result.kind, inUse]),
  };
  return limit;
}

let clock: FakeClock;
let capacity: UpstreamCapacity;
let limit: ReturnType<typeof createMovableLimit>;
beforeEach(() => {
  clock = createFakeClock();
  capacity = createMemoryUpstreamCapacity({ clock, createLimit: (ceiling) => (limit = createMovableLimit(ceiling)) });
  capacity.setCeiling('main', 1);
});
afterEach(() => {
  expect(clock.pending).toBe(0);
});

interface Asked {
  readonly grant: Promise<CapacityGrant>;
  state: CapacityGrant['kind'] | 'waiting';
  head(headers: HeaderMap): Promise<void>;
  release(result?: AttemptResult): Promise<void>;
}

function ask(part: Partial<CapacityAsk> = {}, signal: AbortSignal = NEVER, upstream = 'main'): Asked {
  const full = { tenant: 'acme', weight: 1, modelClass: 'opus-4', inputTokens: 1_000, maxWaitMs: 10_000, ...part };
  const grant = capacity.acquire(upstream, full, signal);
  const lease = async () => {
    const granted = await grant;
    return granted.kind === 'granted' ? granted.lease : null;
  };
  const asked: Asked = {
    grant,
    state: 'waiting',
    async head(headers) {
      (await lease())?.head(headers);
      await settled();
    },
    async release(result = FINE) {
      (await lease())?.release(result);
      await settled();
    },
  };
  void grant.then(({ kind }) => (asked.state = kind));
  return asked;
}

const settled = (): Promise<void> => clock.advance(0);
const statesOf = (all: readonly Asked[]): string[] => all.map(({ state }) => state);
const tokensLeft = (remaining: number): HeaderMap => ({
  'anthropic-ratelimit-input-tokens-limit': '600000',
  'anthropic-ratelimit-input-tokens-remaining': String(remaining),
});
const failed = (kind: FailureKind, retryAfterMs: number | null = null): AttemptResult => ({
  kind: 'failed',
  failure: { kind, retryAfterMs, shouldRetry: null },
});
const retryAfterMsOf = async (asked: Asked): Promise<number> => {
  const grant = await asked.grant;
  return 'retryAfterMs' in grant ? grant.retryAfterMs : Number.NaN;
};

describe('a lease', () => {
  it('tells the limit how it went and how many there were, itself included', async () => {
    capacity.setCeiling('main', 2);
    const all = [ask(), ask()];
    await settled();
    await all[1]?.release(failed('overloaded'));
    await all[0]?.release();
    expect(limit.reports).toEqual([['failed', 2], ['ok', 1]]); // prettier-ignore
  });

  it('is not to be had of an upstream nobody has set up', async () => {
    await expect(capacity.acquire('nowhere', {} as CapacityAsk, NEVER)).rejects.toThrow('nowhere');
    expect(capacity.load('nowhere')).toEqual({ inUse: 0, waiting: 0, limit: 0 });
  });
});

describe('waiting', () => {
  it('can be given up by 20,000 callers in any order, and the rest keep theirs', async () => {
    const callers = Array.from({ length: 20_001 }, () => new AbortController());
    const holder = ask();
    const all = callers.map(({ signal }, index) => ask({ tenant: `t${index % 7}` }, signal));
    const stays = 10_000;
    await settled();
    for (const [index, caller] of [...callers.entries()].toReversed()) if (index !== stays) caller.abort();
    expect(capacity.load('main').waiting).toBe(1);
    await holder.release();
    expect(all[stays]?.state).toBe('granted');
    await all[stays]?.release();
  });
});

describe('the tokens an upstream has left', () => {
  beforeEach(() => capacity.setCeiling('main', 100));

  it('hold a request until there are enough, with one timer for all that wait for them', async () => {
    const first = ask();
    await first.head(tokensLeft(0));
    const all = [ask({ inputTokens: 10_000 }), ask({ inputTokens: 10_000 }), ask({ modelClass: 'haiku-5-5' })];
    await settled();
    expect(statesOf(all)).toEqual(['waiting', 'waiting', 'granted']);
    expect(clock.pending).toBe(2 + 1);
    await clock.advance(1_000);
    expect(statesOf(all)).toEqual(['granted', 'waiting', 'granted']);
    await clock.advance(1_000);
    expect(statesOf(all)).toEqual(['granted', 'granted', 'granted']);
    for (const one of [first, ...all]) await one.release();
  });

  it('are remembered while nobody asks', async () => {
    const first = ask();
    await first.head(tokensLeft(0));
    await first.release();
    const next = ask({ inputTokens: 10_000 });
    await settled();
    expect(next.state).toBe('waiting');
    await clock.advance(1_000);
    await next.release();
  });

  it('let waiters go at once when an answer has more than was thought', async () => {
    const all = [ask({ inputTokens: 400_000 }), ask({ inputTokens: 400_000 })];
    await settled();
    expect(statesOf(all)).toEqual(['granted', 'waiting']);
    await all[0]?.head({});
    expect(statesOf(all)).toEqual(['granted', 'granted']);
    for (const one of all) await one.release();
  });

  it('are told to whoever draws a gauge', async () => {
    const first = ask();
    await first.head(tokensLeft(42_000));
    expect(capacity.quotas()).toEqual([
      {
        upstream: 'main',
        modelClass: 'opus-4',
        kind: 'input_tokens',
        limit: 600_000,
        remaining: 41_500,
        resetInMs: null,
      },
    ]);
    await first.release();
  });

  it.each([Number.NaN, -5, Number.POSITIVE_INFINITY])('are not spoiled by a prediction of %d', async (inputTokens) => {
    const first = ask({ inputTokens });
    await first.head(tokensLeft(42_000));
    await ask({ inputTokens }).release();
    expect(capacity.quotas()[0]?.remaining).toBe(41_500);
    await first.release();
  });
});

describe('a 429', () => {
  beforeEach(() => capacity.setCeiling('main', 100));

  it('refuses those at once whom it makes wait too long, and lets the others wait', async () => {
    await ask().release(failed('rate_limited', 8_000));
    const [patient, hasty] = [ask({ maxWaitMs: 9_000 }), ask({ maxWaitMs: 7_000 })];
    await settled();
    expect(statesOf([patient, hasty])).toEqual(['waiting', 'full']);
    expect(await retryAfterMsOf(hasty)).toBe(8_000);
    await clock.advance(8_000);
    expect(patient.state).toBe('granted');
    await patient.release();
  });
});

describe('the estimate of when to ask again', () => {
  it('is 5 s a place and slot until something is known, and then follows how long slots are held', async () => {
    let holder = ask({ maxWaitMs: 1e9 });
    expect(await retryAfterMsOf(ask({ maxWaitMs: 0 }))).toBe(5_000);
    for (let round = 0; round < 40; round++) {
      const next = ask({ maxWaitMs: 1e9 });
      await clock.advance(60_000);
      await holder.release();
      holder = next;
    }
    expect((await retryAfterMsOf(ask({ maxWaitMs: 0 }))) / 60_000).toBeCloseTo(1, 2);
    await holder.release();
  });

  it('is longer for a tenant with a long line of its own than for one without', async () => {
    capacity.setCeiling('main', 4);
    const held = Array.from({ length: 44 }, () => ask({ tenant: 'greedy' }));
    const greedy = await retryAfterMsOf(ask({ tenant: 'greedy', maxWaitMs: 0 }));
    const modest = await retryAfterMsOf(ask({ tenant: 'modest', maxWaitMs: 0 }));
    expect(greedy).toBe((41 / 4) * 5_000);
    expect(modest).toBeLessThan(greedy / 2);
    for (const one of held) await one.release();
  });

  it('counts the tokens of those who wait for the same class', async () => {
    capacity.setCeiling('main', 100);
    const first = ask();
    await first.head(tokensLeft(0));
    const waiting = ask({ inputTokens: 60_000 });
    expect(await retryAfterMsOf(ask({ inputTokens: 540_000, maxWaitMs: 0 }))).toBe(60_000);
    await clock.advance(6_000);
    for (const one of [first, waiting]) await one.release();
  });
});
