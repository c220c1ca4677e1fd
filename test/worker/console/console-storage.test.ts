import { serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { createConsoleBoard } from '../../../src/console/console-board.ts';
import { MODELS } from '../../../src/core/models.ts';
import { NO_USAGE } from '../../../src/core/usage.ts';
import { createConsoleStorage } from '../../../src/worker/console/console-storage.ts';
import { finishedOf, ZERO_WALL_MS } from '../../console/records.ts';

const DAY_MS = 24 * 3_600_000;
const USAGE = { ...NO_USAGE, uncachedInput: 10, cacheRead: 1_000_000, output: 5 };

/** An object's storage, and its memory, which may end. */
function createStage() {
  const rows = new Map<string, unknown>();
  const storage = {
    get: (key: string) => rows.get(key),
    list: ({ prefix }: { prefix: string }) =>
      [...rows].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
    put: (key: string, value: unknown) => void rows.set(key, structuredClone(value)),
    delete: (key: string) => rows.delete(key),
  };
  const wake = (nowMs = ZERO_WALL_MS) => {
    const kept = createConsoleStorage(storage, nowMs);
    const board = createConsoleBoard(nowMs, kept.kept);
    const add = (count: number, receivedAtMs = 0): void => {
      for (let index = 0; index < count; index++) {
        const finished = finishedOf({ receivedAtMs, endedAtMs: receivedAtMs + 5, usage: USAGE });
        board.add(finished);
        kept.add(finished);
      }
    };
    const fold = (atMs = nowMs): void => kept.fold(board.savingsEntries(atMs));
    return { kept, board, add, fold };
  };
  return { rows, wake };
}

describe('what outlives the object', () => {
  it('are its savings and its newest exchanges, as of the last fold', () => {
    const { wake } = createStage();
    const before = wake();
    before.add(3);
    before.fold();
    before.add(1);
    const after = wake(ZERO_WALL_MS + 60_000);
    expect(after.board.requests({ limit: 10 })).toHaveLength(3);
    expect(after.board.totals().requests).toBe(3);
    const { rows, sinceAtMs } = after.board.savings('day', ZERO_WALL_MS);
    expect(rows).toMatchObject([{ name: '2026-11-22', requests: 3 }]);
    expect(sinceAtMs).toBe(ZERO_WALL_MS);
  });

  it('counts on from there, and nothing twice', () => {
    const { wake } = createStage();
    for (let life = 0; life < 3; life++) {
      const { add, fold } = wake();
      add(2);
      fold();
    }
    const { board } = wake();
    expect(board.savings('tenant', ZERO_WALL_MS).total.requests).toBe(6);
    expect(board.totals().requests).toBe(6);
  });

  it('are the newest 900 to 1,000 exchanges, in their order, and all of the savings', () => {
    const { wake, rows } = createStage();
    const before = wake();
    for (let batch = 0; batch < 25; batch++) {
      before.add(50);
      before.fold();
    }
    const newest = before.board.requests({ limit: 5 })?.map(({ id }) => id);
    const { board } = wake();
    expect(board.requests({ limit: 5 })?.map(({ id }) => id)).toEqual(newest);
    expect(board.totals().requests).toBeGreaterThan(900);
    expect(board.totals().requests).toBeLessThanOrEqual(1_000);
    expect(board.savings('day', ZERO_WALL_MS).total.requests).toBe(1_250);
    expect([...rows.keys()].filter((key) => key.startsWith('page:'))).toHaveLength(10);
  });

  it('are savings of five weeks: older days leave the storage, too', () => {
    const { wake, rows } = createStage();
    const { add, fold } = wake();
    for (const day of [0, 1, 35]) {
      add(1, day * DAY_MS);
      fold(ZERO_WALL_MS + day * DAY_MS);
    }
    const days = [...rows.keys()].filter((key) => key.startsWith('savings:'));
    expect(days).toEqual(['savings:2026-11-23:0', 'savings:2026-12-27:0']);
  });

  it('is every tenant’s savings by every model, in rows that an object takes', () => {
    const { wake, rows } = createStage();
    const { board, fold } = wake();
    const models = Object.keys(MODELS);
    for (let tenant = 0; tenant < 500; tenant++)
      for (const model of models) board.add(finishedOf({ tenant: `tenant-${tenant}`, model, usage: USAGE }));
    fold();
    for (const row of rows.values()) expect(serialize(row).length).toBeLessThan(2_000_000);
    expect(wake().board.savings('day', ZERO_WALL_MS).total.requests).toBe(500 * models.length);
  });

  it('keeps the names that tenants are counted under, so that lives do not add up to more than 500', () => {
    const { wake } = createStage();
    for (let life = 0; life < 3; life++) {
      const { board, fold } = wake();
      for (let count = 0; count < 300; count++)
        board.add(finishedOf({ tenant: `tenant-${life}-${count}`, usage: USAGE }));
      fold();
    }
    const { rows } = wake().board.savings('tenant', ZERO_WALL_MS);
    expect(rows).toHaveLength(501);
    expect(rows.find(({ name }) => name === 'other')?.requests).toBe(400);
  });

  it('is nothing that another version has written', () => {
    const { wake, rows } = createStage();
    const before = wake();
    before.add(1);
    before.fold();
    for (const [key, row] of rows) if (key !== 'since') rows.set(key, { ...(row as object), version: 0 });
    const { board } = wake();
    expect(board.requests({ limit: 10 })).toEqual([]);
    expect(board.savings('day', ZERO_WALL_MS).rows).toEqual([]);
  });

  it('is written only after there was something new', () => {
    const { wake } = createStage();
    const { kept, add, fold } = wake();
    expect(kept.isFolded).toBe(true);
    add(1);
    expect(kept.isFolded).toBe(false);
    fold();
    expect(kept.isFolded).toBe(true);
  });
});
