import { beforeEach, describe, expect, it } from 'vitest';
import { createSavingsBook, type SavingsBook } from '../../src/console/savings-book.ts';
import { savingsCsv } from '../../src/console/savings-csv.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { usageOf } from '../pipeline/scripted.ts';
import { finishedOf, ZERO_WALL_MS } from './records.ts';

const DAY_MS = 24 * 3_600_000;
const written = usageOf({ cacheWrite5m: 1_000_000 });
const read = usageOf({ cacheRead: 1_000_000 });

let book: SavingsBook;
beforeEach(() => {
  book = createSavingsBook();
});

const add = (tenant: string, ...part: Parameters<typeof finishedOf>) => book.add(tenant, finishedOf(...part));
const rowsBy = (by: 'tenant' | 'model' | 'day', nowMs = ZERO_WALL_MS) =>
  book.report(by, nowMs).rows.map(({ name, requests }) => [name, requests]);

describe('the savings', () => {
  it('are the same requests without any caching less what they cost, premiums included', () => {
    add('acme', { usage: written, model: 'claude-opus-5' });
    add('acme', { usage: read, model: 'claude-opus-5' });
    const { total } = book.report('tenant', ZERO_WALL_MS);
    expect(total.withoutCacheUsd - total.costUsd).toBeCloseTo(total.savedUsd, 9);
    expect(total.withoutCacheUsd).toBeCloseTo(10, 9); // two million tokens of input at 5 USD
    expect(total.writePremiumUsd).toBeCloseTo(1.25, 9);
    expect(total.tokens).toEqual({ uncached: 0, cacheRead: 1e6, cacheWrite5m: 1e6, cacheWrite1h: 0, output: 0 });
  });

  it('are told by tenant and by model, the dearest first, and by day, the newest first', () => {
    add('acme', { usage: read });
    add('globex', { usage: written, model: 'claude-opus-5' });
    add('globex', { usage: read, endedAtMs: DAY_MS });
    expect(rowsBy('tenant', ZERO_WALL_MS + DAY_MS)).toEqual([
      ['globex', 2],
      ['acme', 1],
    ]);
    expect(rowsBy('model', ZERO_WALL_MS + DAY_MS)).toEqual([
      ['claude-opus-5', 1],
      ['claude-sonnet-5', 2],
    ]);
    expect(rowsBy('day', ZERO_WALL_MS + DAY_MS)).toEqual([
      ['2026-11-23', 1],
      ['2026-11-22', 2],
    ]);
  });

  it('add up to the same total, however they are told', () => {
    for (const [index, tenant] of ['acme', 'globex', 'acme'].entries()) {
      add(tenant, { usage: index % 2 ? read : written, endedAtMs: index * DAY_MS });
    }
    const nowMs = ZERO_WALL_MS + 3 * DAY_MS;
    const total = book.report('tenant', nowMs).total;
    for (const by of ['tenant', 'model', 'day'] as const) {
      const report = book.report(by, nowMs);
      expect(report.total).toEqual(total);
      expect(report.rows.reduce((sum, { savedUsd }) => sum + savedUsd, 0)).toBeCloseTo(total.savedUsd, 9);
    }
  });

  it('count what an unknown model was asked under other, with its tokens and no cost', () => {
    add('acme', { usage: read, model: 'qwen3-coder' });
    expect(book.report('model', ZERO_WALL_MS).rows).toMatchObject([
      { name: 'other', requests: 1, tokens: { cacheRead: 1e6 }, costUsd: 0, withoutCacheUsd: 0, savedUsd: 0 },
    ]);
  });

  it('go back 35 days', () => {
    add('acme', { usage: read });
    expect(rowsBy('day', ZERO_WALL_MS + 34 * DAY_MS)).toHaveLength(1);
    expect(rowsBy('day', ZERO_WALL_MS + 35 * DAY_MS)).toEqual([]);
  });
});

describe('the savings as CSV', () => {
  const clock = createFakeClock();
  const csv = () => savingsCsv(book.entries(ZERO_WALL_MS), clock);

  it('have a head with units and lines that end as RFC 4180 says', async () => {
    add('acme', { usage: written, model: 'claude-opus-5' });
    const [head, row, rest] = (await csv()).split('\r\n');
    expect(head).toBe(
      'day (UTC),tenant,model,requests,uncached input (tokens),cache read (tokens),cache write 5m (tokens),cache write 1h (tokens),output (tokens),cost (USD),cost without caching (USD),write premium (USD),saved net (USD)',
    );
    expect(row).toBe('2026-11-22,acme,claude-opus-5,1,0,0,1000000,0,0,6.25,5,1.25,-1.25');
    expect(rest).toBe('');
  });

  it.each(['=1+1', '+1', '-1', '@sum(a1)', '\tx'])('make no formula of a tenant called %j', async (tenant) => {
    add(tenant, { usage: read });
    expect(await csv()).toContain(`2026-11-22,"'${tenant}",`);
  });

  it('keep quotes, commas and line ends within their cell', async () => {
    add('a "b", c\r\nd', { usage: read });
    expect(await csv()).toContain('2026-11-22,"a ""b"", c\r\nd",claude-sonnet-5,1,');
  });

  it('let others have their turn while they are written, and are whole all the same', async () => {
    for (let count = 0; count < 1_200; count++) add(`tenant-${count}`, { usage: read });
    const written = csv();
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    await clock.advance(1);
    const lines = (await written).trim().split('\r\n');
    expect(lines).toHaveLength(1_201);
    expect(new Set(lines).size).toBe(1_201);
  });
});
