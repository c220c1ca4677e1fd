import { expect, it } from 'vitest';
import { createFixedLimit } from '../../src/core/limit.ts';

it('a fixed limit stays what it is, however its users fare', () => {
  const limit = createFixedLimit(3);
  for (const signal of ['success', 'dropped', 'ignored'] as const) limit.report(signal);
  expect(limit.current).toBe(3);
});
