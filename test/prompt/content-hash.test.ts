import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashBytes, hashPair, hashText } from '../../src/prompt/content-hash.ts';

const bytes = fc.uint8Array({ maxLength: 64 });
const safe = fc.maxSafeNat();

describe('the hash of bytes', () => {
  it('is an integer of 53 bits, the same wherever the bytes stand', () => {
    fc.assert(
      fc.property(bytes, bytes, fc.nat(), (value, before, seed) => {
        const placed = new Uint8Array([...before, ...value, 7]);
        const hash = hashBytes(value, 0, value.length, seed);
        expect(hash).toBe(hashBytes(placed, before.length, before.length + value.length, seed));
        expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true);
      }),
    );
  });

  it('changes with any single bit, with the length, and with the seed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), fc.nat({ max: 7 }), (value, place, bit) => {
        const other = value.slice();
        const at = place % value.length;
        other[at] = (other[at] as number) ^ (1 << bit);
        const hash = hashBytes(value, 0, value.length);
        expect(hashBytes(other, 0, other.length)).not.toBe(hash);
        expect(hashBytes(new Uint8Array([...value, 0]), 0, value.length + 1)).not.toBe(hash);
        expect(hashBytes(value, 0, value.length, 1)).not.toBe(hash);
      }),
    );
  });

  it('has no collision among 200,000 texts that differ in a number', () => {
    const hashes = new Set<number>();
    for (let at = 0; at < 200_000; at++) hashes.add(hashText(`Part ${at} of a prompt that is otherwise the same.`));
    expect(hashes.size).toBe(200_000);
  });

  it('spreads: each of its 53 bits is set in about half of all hashes', () => {
    const set = new Float64Array(53);
    for (let at = 0; at < 4_000; at++) {
      let rest = hashText(`text ${at}`);
      for (let bit = 0; bit < 53; bit++) {
        set[bit] = (set[bit] as number) + (rest % 2);
        rest = Math.floor(rest / 2);
      }
    }
    for (const count of set) expect(Math.abs(count / 4_000 - 0.5)).toBeLessThan(0.05);
  });
});

describe('the hash of two hashes', () => {
  it('depends on both and on their order, and is an integer of 53 bits', () => {
    fc.assert(
      fc.property(safe, safe, (one, other) => {
        const hash = hashPair(one, other);
        expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true);
        if (one === other) return;
        expect(hashPair(other, one)).not.toBe(hash);
        expect(hashPair(one, one)).not.toBe(hash);
      }),
    );
  });
});
