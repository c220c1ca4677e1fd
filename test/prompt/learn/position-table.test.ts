import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPlacementIndex, positionKey, saltOf } from '../../../src/prompt/learn/placement-index.ts';
import { createPositionTable, findSlot, touchSlot } from '../../../src/prompt/learn/position-table.ts';
import { traffic, view, words } from '../views.ts';

test('the table is a map that forgets what was touched longest ago', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60), { maxLength: 400 }), fc.integer({ min: 1, max: 40 }), (keys, maxPositions) => {
      const table = createPositionTable(maxPositions);
      const model: number[] = [];
      for (const small of keys) {
        const key = small * 2 ** 45 + small;
        touchSlot(table, key);
        if (model.includes(key)) model.splice(model.indexOf(key), 1);
        model.push(key);
        if (model.length > maxPositions) model.shift();
      }
      for (let small = 0; small <= 60; small++) {
        const key = small * 2 ** 45 + small;
        expect(findSlot(table, key) >= 0).toBe(model.includes(key));
      }
    }),
  );
});

test('a full table forgets the end of a prompt before its beginning', () => {
  const { index, send } = traffic(undefined, createPlacementIndex({ maxPositions: 30 }));
  const first = view(words('a', 20));
  send(first, 0);
  send(view(words('b', 20)), 1000);
  const salt = saltOf(first.key);
  const known = Array.from(first.hashes, (hash) => findSlot(index.positions, positionKey(hash, salt)) >= 0);
  expect(known).toEqual([...Array<boolean>(10).fill(true), ...Array<boolean>(10).fill(false)]);
});

test('what is remembered stays bounded, however many prompts pass', () => {
  const { index, send } = traffic(undefined, createPlacementIndex({ maxPositions: 2000 }));
  for (let at = 0; at < 1500; at++) send(view(words(`p${at}-`, 12), { tenant: `t${at % 7}` }), at * 10_000);
  expect(index.positions.size).toBe(2000);
  expect(index.positions.capacity).toBe(2000);
  const open = index.queues.waiting.reduce((sum, queue) => sum + queue.items.length - queue.first, 0);
  expect(open).toBe(index.queues.open);
  expect(open).toBeLessThan(2 * (3600 / 10 + 1));
});

test('a position under another key is another position', () => {
  const keys = ['workspace-a/model', 'workspace-b/model', ''].map((key) => positionKey(12_345, saltOf(key)));
  expect(new Set(keys).size).toBe(3);
  const top = Number.MAX_SAFE_INTEGER;
  for (const salt of [0, 1, top])
    for (const hash of [0, 7, top]) {
      expect(positionKey(hash, salt)).toBeGreaterThanOrEqual(0);
      expect(positionKey(hash, salt)).toBeLessThanOrEqual(top);
    }
});
