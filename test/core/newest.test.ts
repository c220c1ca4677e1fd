import { expect, it } from 'vitest';
import { createNewest } from '../../src/core/newest.ts';

it('what was set longest ago is the first to go, and what is set again is new', () => {
  const newest = createNewest<string, number>(2);
  newest.set('a', 1);
  newest.set('b', 2);
  newest.set('a', 3);
  newest.set('c', 4);
  expect(['a', 'b', 'c'].map((key) => newest.get(key))).toEqual([3, undefined, 4]);
});

it('what was deleted makes room', () => {
  const newest = createNewest<string, number>(2);
  newest.set('a', 1);
  newest.set('b', 2);
  newest.delete('b');
  newest.set('c', 3);
  expect(['a', 'b', 'c'].map((key) => newest.get(key))).toEqual([1, undefined, 3]);
});

it('keeps the newest up to its capacity, and lists them newest first', () => {
  const newest = createNewest<string, number>(2);
  newest.set('a', 1);
  newest.set('b', 2);
  newest.set('c', 3);
  expect(newest.get('a')).toBeUndefined();
  expect(newest.get('b')).toBe(2);
  expect(newest.list(10)).toStrictEqual([3, 2]);
  expect(newest.list(1)).toStrictEqual([3]);
});
