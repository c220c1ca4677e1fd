import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asciiBytes, concatenate, equalBytes, startsWith } from '../../src/core/bytes.ts';

describe('bytes', () => {
  it('concatenated are all pieces in order, however many', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 5 })), (pieces) => {
        expect([...concatenate(pieces)]).toEqual(pieces.flatMap((piece) => [...piece]));
      }),
    );
  });

  it('start with each of their beginnings, and equal only the last of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), fc.nat(8), (bytes, length) => {
        const beginning = bytes.slice(0, length);
        expect(startsWith(bytes, beginning)).toBe(true);
        expect(equalBytes(bytes, beginning)).toBe(length >= bytes.length);
      }),
    );
  });

  it('do not start with what is longer or different', () => {
    expect(startsWith(asciiBytes('data'), asciiBytes('data:'))).toBe(false);
    expect(startsWith(asciiBytes('date:'), asciiBytes('data'))).toBe(false);
  });
});
