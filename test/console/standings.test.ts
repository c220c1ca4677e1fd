import { beforeEach, describe, expect, it } from 'vitest';
import { createStandings, type Standings } from '../../src/console/standings.ts';
import { noteOf, usageOf } from '../pipeline/scripted.ts';
import { finishedOf, ZERO_WALL_MS } from './records.ts';

const NOW_MS = ZERO_WALL_MS + 1_000;
const FIVE_MINUTES_MS = 300_000;

let standings: Standings;
beforeEach(() => {
  standings = createStandings();
});

const add = (tenant: string, ...part: Parameters<typeof finishedOf>) => standings.add(tenant, finishedOf(...part));

describe('the standings', () => {
  it('are each tenant’s share of the input, its hits, waits and errors', () => {
    add('acme', { usage: usageOf({ cacheRead: 200, uncachedInput: 100 }), timings: { queueMs: 40 } });
    add('globex', { usage: usageOf({ uncachedInput: 100 }), status: 529 });
    const now = standings.now(NOW_MS);
    expect(now.figures('acme')).toMatchObject({ requests: 1, errors: 0, share: 0.75, hitRatio: 2 / 3 });
    expect(now.figures('globex')).toMatchObject({ requests: 1, errors: 1, share: 0.25, hitRatio: 0, queueP95Ms: null });
    expect((now.figures('acme').queueP95Ms ?? 0) / 40).toBeCloseTo(1, 1);
  });

  it('are 0 and unknown for who has asked nothing', () => {
    const nothing = { requests: 0, errors: 0, share: 0, hitRatio: null, queueP95Ms: null, ttftP95Ms: null };
    expect(standings.now(NOW_MS).figures('acme')).toEqual({ ...nothing, costUsd: 0, savedUsd: 0 });
  });

  it('forget after five minutes, but for what was spent', () => {
    add('acme', { usage: usageOf({ uncachedInput: 100 }) });
    const later = standings.now(NOW_MS + FIVE_MINUTES_MS);
    expect(later.figures('acme')).toMatchObject({ requests: 0, hitRatio: null });
    expect(later.figures('acme').costUsd).toBeGreaterThan(0);
    expect(later.recent.requests).toBe(0);
  });

  it('count the calls to an upstream by outcome, also of requests that took several', () => {
    add('acme', { attempts: [noteOf({ outcome: 'overloaded' }), noteOf({ upstream: 'spare' })] });
    add('acme', { attempts: [noteOf()] });
    const { attempts } = standings.now(NOW_MS);
    expect([attempts('main'), attempts('spare'), attempts('unheard of')]).toEqual([
      { overloaded: 1, ok: 1 },
      { ok: 1 },
      {},
    ]);
  });

  it('have figures of all: errors by whose fault, but not callers that left', () => {
    add('acme', { usage: usageOf({ cacheRead: 30, uncachedInput: 10 }), timings: { firstContentAtMs: 250 } });
    add('acme', { status: 529 });
    add('acme', { status: 429, end: 'refused', refusal: 'queue_full' });
    add('acme', { status: 499, end: 'client_abort' });
    const { recent } = standings.now(NOW_MS);
    expect(recent).toMatchObject({
      requests: 4,
      faults: { caller: 1, gateway: 0, upstream: 1 },
      inputTokens: 40,
      cacheReadTokens: 30,
    });
    expect((recent.ttftP50Ms ?? 0) / 250).toBeCloseTo(1, 1);
  });
});
