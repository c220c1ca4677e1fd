import { expect, it } from 'vitest';
import { hashSlotOf } from '../../src/redis/hash-slot.ts';

it.each([
  ['123456789', 12_739], // docs: Redis cluster specification, the check value of its CRC
  ['', 0],
  ['foo', 12_182],
  ['user1000', 3_443],
])('the hash slot of %j is %i', (tag, slot) => {
  expect(hashSlotOf(tag)).toBe(slot);
});
