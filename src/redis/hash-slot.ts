/**
 * Which of a cluster's hash slots a key is in (docs: Redis cluster specification, key distribution model): CRC16/XMODEM of
 * what stands between its first braces.
 */
export const HASH_SLOTS = 16_384;

const POLYNOMIAL = 0x1021;

/** @param tag what stands between the braces. */
export function hashSlotOf(tag: string): number {
  let rest = 0;
  for (const byte of Buffer.from(tag)) {
    rest ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) rest = ((rest << 1) ^ (rest & 0x8000 ? POLYNOMIAL : 0)) & 0xffff;
  }
  return rest % HASH_SLOTS;
}
