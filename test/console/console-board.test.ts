import { beforeEach, describe, expect, it } from 'vitest';
import { createConsoleBoard, type ConsoleBoard } from '../../src/console/console-board.ts';
import { usageOf } from '../pipeline/scripted.ts';
import { finishedOf, ZERO_WALL_MS } from './records.ts';

let board: ConsoleBoard;
beforeEach(() => {
  board = createConsoleBoard(ZERO_WALL_MS);
});

const idsOf = (query: Partial<Parameters<ConsoleBoard['requests']>[0]> = {}) =>
  board.requests({ limit: 100, ...query })?.map(({ id }) => id);

describe('the board', () => {
  it('lists the newest requests first, as many as asked for, and goes on behind one of them', () => {
    for (const id of ['a', 'b', 'c', 'd']) board.add(finishedOf({ id }));
    expect(idsOf({ limit: 2 })).toEqual(['d', 'c']);
    expect(idsOf({ limit: 2, before: 'c' })).toEqual(['b', 'a']);
    expect(idsOf({ before: 'a' })).toEqual([]);
    expect(idsOf({ before: 'never heard of' })).toBeUndefined();
  });

  it('lists those of a tenant, a model, a cache result, a fault', () => {
    board.add(finishedOf({ id: 'hit', usage: usageOf({ cacheRead: 9 }) }));
    board.add(finishedOf({ id: 'off', tenant: 'globex', model: 'claude-opus-5', status: 529 }));
    expect(idsOf({ tenant: 'acme' })).toEqual(['hit']);
    expect(idsOf({ model: 'claude-opus-5' })).toEqual(['off']);
    expect(idsOf({ cache: 'hit' })).toEqual(['hit']);
    expect(idsOf({ fault: 'upstream' })).toEqual(['off']);
    expect(idsOf({ tenant: 'acme', fault: 'upstream' })).toEqual([]);
  });

  it('tells the story of each, and of the newest thousand only', () => {
    const oldest = finishedOf({ id: 'oldest' });
    board.add(oldest);
    expect(board.request('oldest')).toEqual(oldest.story);
    for (let count = 0; count < 1_000; count++) board.add(finishedOf({ id: `slip_more_${count}` }));
    expect(board.request('oldest')).toBeNull();
    expect(idsOf({ limit: 2_000 })).toHaveLength(1_000);
  });

  it('counts all since its beginning', () => {
    board.add(finishedOf({ usage: usageOf({ uncachedInput: 1, cacheRead: 9, output: 3 }) }));
    board.add(finishedOf({ status: 529 }));
    expect(board.totals()).toMatchObject({
      requests: 2,
      errors: 1,
      inputTokens: 10,
      cacheReadTokens: 9,
      outputTokens: 3,
    });
    expect(board.savings('tenant', ZERO_WALL_MS)).toMatchObject({ sinceAtMs: ZERO_WALL_MS, total: { requests: 2 } });
  });

  it('counts tenants beyond the 500th together, and still tells whose a request was', () => {
    for (let count = 0; count < 502; count++) board.add(finishedOf({ tenant: `t-${count}` }));
    const { rows } = board.savings('tenant', ZERO_WALL_MS);
    expect(rows).toHaveLength(501);
    expect(rows.find(({ name }) => name === 'other')?.requests).toBe(2);
    expect(board.requests({ limit: 1 })?.[0]?.tenant).toBe('t-501');
  });

  it('takes and gives plain data, as it crosses the border of an isolate', () => {
    const finished = finishedOf({ usage: usageOf({ cacheRead: 9 }) });
    expect(structuredClone(finished)).toEqual(finished);
    board.add(structuredClone(finished));
    for (const told of [board.history(ZERO_WALL_MS), board.totals(), board.savings('day', ZERO_WALL_MS)]) {
      expect(JSON.parse(JSON.stringify(told))).toEqual(told);
    }
  });
});
