/**
 * A fast hash of prompt bytes to 53 bits, which a number holds exactly: two 32-bit lanes over four bytes a step, mixed
 * as MurmurHash3 mixes (public domain). It only decides where markers are worth their price: a collision can cost money
 * (one in 10^16 per pair), never harm a request. It is not keyed: what leaves the process is hashed again with a key.
 */
const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;
const C3 = 0x85ebca6b;
const C4 = 0xc2b2ae35;

/** Hash of the bytes in [start, end), seeded. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  let left = (seed ^ 0x9e3779b9) | 0;
  let right = (seed * 31 + 0x7f4a7c15) | 0;
  const whole = start + ((end - start) & ~3);
  for (let at = start; at < whole; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    left = step(left, word, C1);
    right = step(right, word, C2);
  }
  let tail = 0;
  for (let at = end - 1; at >= whole; at--) tail = (tail << 8) | (bytes[at] as number);
  return finish(step(left, tail, C1), step(right, tail, C2), end - start);
}

/** Hash of two hashes in this order: the next link of a chain. */
export function hashPair(first: number, second: number): number {
  let left = step(low(first), low(second), C1);
  left = step(left, high(second), C1);
  let right = step(high(first), low(second), C2);
  right = step(right, high(second), C2);
  return finish(left, right, 8);
}

function step(lane: number, word: number, constant: number): number {
  let mixed = Math.imul(word, constant);
  mixed = (mixed << 15) | (mixed >>> 17);
  const next = lane ^ Math.imul(mixed, C2 ^ constant ^ C3);
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(left: number, right: number, length: number): number {
  const one = avalanche(left ^ length ^ right);
  const two = avalanche(right ^ Math.imul(one, C1));
  return (one >>> 11) * 0x1_0000_0000 + (two >>> 0);
}

function avalanche(lane: number): number {
  let mixed = Math.imul(lane ^ (lane >>> 16), C3);
  mixed = Math.imul(mixed ^ (mixed >>> 13), C4);
  return mixed ^ (mixed >>> 16);
}

function low(hash: number): number {
  return hash | 0; // ToInt32 takes the low 32 bits of any safe integer
}

function high(hash: number): number {
  return Math.floor(hash / 0x1_0000_0000) | 0;
}

const encoder = new TextEncoder();

export function hashText(text: string): number {
  const bytes = encoder.encode(text);
  return hashBytes(bytes, 0, bytes.length);
}
