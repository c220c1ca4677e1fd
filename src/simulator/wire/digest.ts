/**
 * A fast, seedable, runtime-neutral digest: two 32-bit lanes with different multipliers, 64 bits in all. Good enough to
 * tell prompts apart in a simulator; never used against an adversary.
 */
export function digest(text: string, seed = 0): string {
  const [high, low] = lanes(text, seed);
  return high.toString(36).padStart(7, '0') + low.toString(36).padStart(7, '0');
}

/** Uniform in [0, 1), the same for the same arguments. */
export function share(text: string, seed = 0): number {
  return lanes(text, seed)[0] / 0x1_0000_0000;
}

/** A whole number from `lowest` to `highest`, both included. */
export function pick(lowest: number, highest: number, text: string, seed = 0): number {
  return lowest + Math.floor(share(text, seed) * (highest - lowest + 1));
}

function lanes(text: string, seed: number): [number, number] {
  let high = 0x9e3779b9 ^ seed;
  let low = 0x85ebca6b ^ Math.imul(seed, 0x27d4eb2f);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x5bd1e995);
    high ^= high >>> 15;
    low ^= low >>> 13;
  }
  return [finish(high ^ Math.imul(low, 0x2c1b3c6d)), finish(low ^ Math.imul(high, 0x297a2d39))];
}

function finish(lane: number): number {
  let mixed = Math.imul(lane ^ (lane >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Letters and figures in the manner of Anthropic's ids. */
export function identifier(length: number, text: string, seed = 0): string {
  let id = '';
  for (let index = 0; index < length; index++) id += ALPHABET[pick(0, ALPHABET.length - 1, `${text}#${index}`, seed)];
  return id;
}
