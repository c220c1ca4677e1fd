/**
 * SHA-256 (FIPS 180-4), because keys are looked up synchronously and WebCrypto only digests asynchronously. It digests
 * keys and tokens, some dozens of bytes each: one or two blocks, a few microseconds.
 */
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

export function sha256Hex(text: string): string {
  const blocks = padded(new TextEncoder().encode(text));
  const state = INITIAL.slice();
  const schedule = new Uint32Array(64);
  for (let at = 0; at < blocks.byteLength; at += BLOCK_BYTES) compress(state, schedule, blocks, at);
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** A one, zeros up to a whole block, the length in bits (§5.1.1). */
function padded(bytes: Uint8Array): DataView {
  const size = Math.ceil((bytes.length + 1 + LENGTH_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
  const block = new Uint8Array(size);
  block.set(bytes);
  block[bytes.length] = 0x80;
  const view = new DataView(block.buffer);
  view.setBigUint64(size - LENGTH_BYTES, BigInt(bytes.length) * 8n);
  return view;
}

/** One block (§6.2.2). */
function compress(state: Uint32Array, schedule: Uint32Array, blocks: DataView, start: number): void {
  for (let t = 0; t < 16; t++) schedule[t] = blocks.getUint32(start + 4 * t);
  for (let t = 16; t < 64; t++) {
    const [early, late] = [word(schedule, t - 15), word(schedule, t - 2)];
    const mixedEarly = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const mixedLate = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    schedule[t] = word(schedule, t - 16) + mixedEarly + word(schedule, t - 7) + mixedLate;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let t = 0; t < 64; t++) {
    const chosen = (e & f) ^ (~e & g);
    const first = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + chosen + word(ROUND, t) + word(schedule, t);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  for (const [at, value] of [a, b, c, d, e, f, g, h].entries()) state[at] = word(state, at) + value;
}

function word(words: Uint32Array, at: number): number {
  return words[at] as number;
}

function rotated(value: number, by: number): number {
  return (value >>> by) | (value << (32 - by));
}

const PRIMES = firstPrimes(64);
/** The first 32 bits of the fractional parts of the square roots of the first 8 primes, of the cube roots of 64 (§4.2.2, §5.3.3). */
const INITIAL = Uint32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const ROUND = Uint32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));

function fraction(root: number): number {
  return (root - Math.floor(root)) * 2 ** 32;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let next = 2; primes.length < count; next++) if (primes.every((prime) => next % prime !== 0)) primes.push(next);
  return primes;
}
