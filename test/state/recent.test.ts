import { expect, it } from 'vitest';
import { createRecent } from '../../src/state/recent.ts';

it('keeps the newest up to its capacity, newest first', () => {
  const recent = createRecent<number>(2);
  recent.add('a', 1);
  recent.add('b', 2);
  recent.add('c', 3);
  expect(recent.get('a')).toBeUndefined();
  expect(recent.get('b')).toBe(2);
  expect(recent.list(10)).toStrictEqual([3, 2]);
  expect(recent.list(1)).toStrictEqual([3]);
});
