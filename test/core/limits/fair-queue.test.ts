import { beforeEach, describe, expect, it } from 'vitest';
import { createFairQueue, type FairQueue, type Ticket } from '../../../src/core/limits/fair-queue.ts';
import { createTenantShares } from '../../../src/core/limits/tenant-shares.ts';

let queue: FairQueue<string>;
let nowMs: number;
beforeEach(() => {
  queue = createFairQueue();
  nowMs = 0;
});

const add = (tenant: string, item: string, lane = 'opus', weight = 1): Ticket<string> =>
  queue.add(tenant, weight, lane, item, nowMs++);
const next = (fits: (item: string) => boolean = () => true, limit = 10): string | null =>
  queue.next(limit, nowMs, ({ item }) => fits(item))?.item ?? null;
const drain = (count: number): (string | null)[] => Array.from({ length: count }, () => next());

/** Serves from a constant backlog until each slot has been given back many times; what each tenant holds on average. */
function meanHeld(weights: Readonly<Record<string, number>>, backlog: number, limit: number): Record<string, number> {
  const held: string[] = [];
  const sums: Record<string, number> = {};
  for (const [tenant, weight] of Object.entries(weights))
    for (let count = 0; count < backlog; count++) add(tenant, tenant, 'opus', weight);
  for (let round = 0; round < 4_000; round++) {
    nowMs += 500;
    if (held.length === limit) queue.release(held.shift() as string, nowMs);
    const tenant = next(() => true, limit) as string;
    held.push(tenant);
    add(tenant, tenant, 'opus', weights[tenant] ?? 1);
    if (round >= 2_000) for (const one of held) sums[one] = (sums[one] ?? 0) + 1 / 2_000;
  }
  return sums;
}

describe('the line', () => {
  it('of one tenant is served in the order of coming', () => {
    for (const item of ['a', 'b', 'c']) add('acme', item);
    expect(drain(4)).toEqual(['a', 'b', 'c', null]);
  });

  it('forgets who leaves, first, middle or last, and once is enough', () => {
    const [a, , c] = ['a', 'b', 'c', 'd'].map((item) => add('acme', item));
    for (const ticket of [a, c, a]) queue.remove(ticket as Ticket<string>, nowMs);
    expect(queue.size).toBe(2);
    expect(drain(3)).toEqual(['b', 'd', null]);
  });

  it('is left by a ticket that was served without harm to the others', () => {
    const [a] = ['a', 'b'].map((item) => add('acme', item));
    expect(next()).toBe('a');
    queue.remove(a as Ticket<string>, nowMs);
    expect(queue.standing('acme', 1, 10)).toEqual({ waiting: 1, share: 10 });
    expect(drain(2)).toEqual(['b', null]);
  });

  it('serves a newcomer as soon as the tenant whose long line came first has half its share', () => {
    for (let index = 0; index < 40; index++) add('greedy', 'g');
    nowMs += 10_000;
    add('modest', 'm');
    expect(drain(5)).toEqual(['g', 'g', 'g', 'm', 'g']);
  });

  it('serves a greedy tenant now and then even if modest ones want all there is', () => {
    for (let index = 0; index < 400; index++) add('greedy', 'greedy');
    const held = Array.from({ length: 8 }, () => next() as string); // so it had everything until now
    let sinceServed = 0;
    let longest = 0;
    for (let turn = 0; turn < 2_400; turn++) {
      nowMs += 500;
      add(`modest-${turn % 8}`, `modest-${turn % 8}`);
      queue.release(held.shift() as string, nowMs);
      held.push(next(() => true, 8) as string);
      sinceServed = held.at(-1) === 'greedy' ? 0 : sinceServed + 500;
      longest = Math.max(longest, sinceServed);
    }
    expect(longest).toBeLessThan(120_000);
  });
});

describe('shares', () => {
  it('of tenants that always want more are as their weights', () => {
    const held = meanHeld({ heavy: 3, light: 1 }, 200, 16);
    expect(held['heavy'] ?? 0).toBeCloseTo(12, 0);
    expect(held['light'] ?? 0).toBeCloseTo(4, 0);
  });

  it('of tenants of one weight are equal, however long their lines', () => {
    add('long', 'long');
    for (let count = 0; count < 300; count++) add('long', 'long');
    const held = meanHeld({ long: 1, short: 1 }, 60, 16);
    expect(held['long'] ?? 0).toBeCloseTo(8, 0);
  });

  it('are half of what is fair at least for whoever wants more, over minutes', () => {
    const held = meanHeld({ one: 1, few: 1, many: 1, more: 1 }, 9, 16);
    for (const each of Object.values(held)) expect(each).toBeGreaterThan(0.5 * 4);
  });

  it('take any weight for what it is, and none for the smallest', () => {
    for (const weight of [0, -1, Number.NaN]) add('odd', 'odd', 'opus', weight);
    add('fine', 'fine');
    expect(drain(5).filter((item) => item === 'odd')).toHaveLength(3);
    expect(queue.size).toBe(0);
  });
});

describe('a class of models that has no room', () => {
  const isNotOpus = (item: string): boolean => !item.startsWith('opus');

  it('stops no other class, not of the same tenant either', () => {
    add('acme', 'opus-1', 'opus');
    add('acme', 'haiku-1', 'haiku');
    add('other', 'opus-2', 'opus');
    expect([next(isNotOpus), next(isNotOpus), next()]).toEqual(['haiku-1', null, 'opus-1']);
  });

  it('waits for the one whose turn it is, and lets no smaller one pass, of whomever', () => {
    for (let index = 0; index < 60; index++) add('greedy', 'big');
    for (let count = 0; count < 9; count++) next();
    expect(next((item) => item !== 'big')).toBeNull();
    add('modest', 'small'); // who would go first, were there room
    nowMs += 1_000;
    expect(next((item) => item !== 'big')).toBeNull();
    expect(drain(2)).toEqual(['big', 'small']);
  });

  it('goes on when the one whose turn it is leaves', () => {
    const big = add('acme', 'big');
    add('other', 'small');
    expect(next((item) => item !== 'big')).toBeNull();
    queue.remove(big, nowMs);
    expect(next()).toBe('small');
  });

  it('gives its tenant the order of coming among classes that have room', () => {
    add('acme', 'second', 'haiku');
    queue = createFairQueue();
    add('acme', 'first', 'opus');
    add('acme', 'second', 'haiku');
    expect(drain(2)).toEqual(['first', 'second']);
  });
});

it('tenants that ask once and go are not remembered', () => {
  const shares = createTenantShares();
  for (let index = 0; index < 10_000; index++) {
    shares.wait(`t${index}`, 1, index);
    shares.serve(`t${index}`, index);
    shares.release(`t${index}`, index + 2_000);
  }
  expect(shares.size).toBe(0);
});

it('tenants that asked for much and went are forgotten after minutes', () => {
  const shares = createTenantShares();
  let atMs = 0;
  for (let index = 0; index < 2_000; index++) {
    for (let count = 0; count < 50; count++) shares.wait(`t${index}`, 1, atMs);
    atMs += 20_000;
    for (let count = 0; count < 50; count++) shares.leave(`t${index}`, atMs);
  }
  expect(shares.size).toBeLessThan(130);
});
