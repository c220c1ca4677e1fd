import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNamedFiles } from '../../../src/prompt/scan/file-ids.ts';
import { mayNameFiles } from '../../../src/prompt/scan/may-name-files.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Each character as it is, or escaped in one of the two ways that JSON has for it. */
const letters = Array.from('file_id', (letter) => {
  const code = (letter.codePointAt(0) ?? 0).toString(16);
  return fc.constantFrom(letter, `\\u00${code}`, `\\u00${code.toUpperCase()}`);
});

describe('a body that may name files', () => {
  it('is every one in which a file is found, however its name is written and wherever it stands', () => {
    const escaped = fc.tuple(...letters).map((written) => written.join(''));
    const names = fc.oneof(fc.constantFrom('file_id', String.raw`fil\u0065_id`), escaped);
    const before = fc.integer({ min: 65_480, max: 65_560 }); // around the end of a piece
    fc.assert(
      fc.property(names, before, fc.constantFrom('x', 'é', '€', '\u{1f600}'), (name, length, filling) => {
        const body = bytesOf(`{"a":"${filling.repeat(length)}","source":{"${name}":"f1"}}`);
        expect(createNamedFiles().push(body)).toEqual(['f1']);
        expect(mayNameFiles(body)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('is not one of plain text, of other names, or of what serializers escape', () => {
    for (const text of ['', '{}', '{"file":1,"id":2}', String.raw`{"a":"\u00e9 \u001b[1m \n \\ \" \ud83d\ude00"}`]) {
      expect(mayNameFiles(bytesOf(text))).toBe(false);
    }
    expect(mayNameFiles(new Uint8Array(200_000).fill(0x78))).toBe(false);
  });
});
