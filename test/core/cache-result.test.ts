import { expect, it } from 'vitest';
import { cacheResultOf } from '../../src/core/cache-result.ts';
import { NO_USAGE } from '../../src/core/usage.ts';

it.each([
  ['hit', 'four fifths of the input were read', { cacheRead: 80, uncachedInput: 20 }],
  ['hit', 'all of it was read', { cacheRead: 1 }],
  ['partial', 'less than four fifths were read', { cacheRead: 79, uncachedInput: 21 }],
  ['partial', 'what was not read was written', { cacheRead: 10, cacheWrite1h: 90 }],
  ['miss', 'it was only written, for 5 minutes', { cacheWrite5m: 100, uncachedInput: 5 }],
  ['miss', 'it was only written, for 1 hour', { cacheWrite1h: 100 }],
  ['off', 'nothing was read or written', { uncachedInput: 5_000 }],
  ['off', 'there was no input at all', { output: 10 }],
] as const)('is %s when %s', (result, _when, usage) => {
  expect(cacheResultOf({ ...NO_USAGE, ...usage })).toBe(result);
});
