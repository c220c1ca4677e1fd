import { isUtf8 as isUtf8OfNode } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUtf8 } from '../../src/worker/utf8.ts';

describe('whether bytes are UTF-8', () => {
  it('is what node:buffer says of them', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: 'grapheme' }).map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(bytes, (some) => {
        expect(isUtf8(some)).toBe(isUtf8OfNode(some));
      }),
    );
  });

  it('does not depend on where the slices are cut', () => {
    const bytes = new TextEncoder().encode(`${'a'.repeat(64 * 1024 - 1)}€`);
    expect(isUtf8(bytes)).toBe(true);
    expect(isUtf8(bytes.subarray(0, -1))).toBe(false);
  });
});
