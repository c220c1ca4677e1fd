import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteOrderMarkLength,
  readJson,
  readString,
  skipValue,
  skipWhitespace,
  visitMembers,
  walkElements,
  type JsonMember,
} from '../../src/core/json-cursor.ts';
import { JSON_CASES } from './json-cases.ts';
import { bytesOf, jsonObjects, jsonTrees, whitespaces, writeJson } from './json-texts.ts';

/** The cursor's verdict on a whole text. */
function accepts(bytes: Uint8Array): boolean {
  const end = skipValue(bytes, skipWhitespace(bytes, 0));
  return end >= 0 && skipWhitespace(bytes, end) === bytes.length;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Null where the bytes are not UTF-8: the cursor leaves that check to others. */
function strictText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

describe('skipValue', () => {
  it.each(JSON_CASES)('takes as %s: %j (%s)', (verdict, text) => {
    expect(accepts(bytesOf(text))).toBe(verdict === 'JSON');
    expect(isJson(text)).toBe(verdict === 'JSON');
  });

  it('ends behind the last byte of the value, whatever white space is in it and whatever follows', () => {
    fc.assert(
      fc.property(jsonTrees, whitespaces, fc.constantFrom('', ' ', ',', ']', '}'), (tree, spaces, rest) => {
        const value = bytesOf(writeJson(tree, spaces));
        const text = bytesOf(`\n${writeJson(tree, spaces)}${rest}`);
        expect(skipValue(text, 1)).toBe(1 + value.length);
      }),
    );
  });

  it('takes exactly what JSON.parse takes, after any few changes to the bytes of a valid text', () => {
    const change = fc.record({
      at: fc.nat(),
      how: fc.constantFrom('replace', 'insert', 'remove'),
      byte: fc.oneof(fc.constantFrom(...bytesOf('{}[]",:\\u0019tfn.eE+- \n/')), fc.nat(255)),
    });
    fc.assert(
      fc.property(jsonTrees, whitespaces, fc.array(change, { maxLength: 4 }), (tree, spaces, changes) => {
        const bytes = [...bytesOf(writeJson(tree, spaces))];
        for (const { at, how, byte } of changes) {
          bytes.splice(at % (bytes.length + 1), how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [byte]));
        }
        const text = strictText(Uint8Array.from(bytes));
        if (text !== null) expect(accepts(Uint8Array.from(bytes))).toBe(isJson(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes exactly what JSON.parse takes of any row of tokens', () => {
    const tokens = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', '-', 'true', 'null', ' ', '"', '\\', '\n');
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        expect(accepts(bytesOf(text))).toBe(isJson(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses every truncation of an object', () => {
    fc.assert(
      fc.property(jsonObjects, whitespaces, (tree, spaces) => {
        const whole = bytesOf(writeJson(tree, spaces));
        for (let length = 0; length < whole.length; length++) {
          expect(skipValue(whole.subarray(0, length), 0)).toBe(~length);
        }
      }),
    );
  });

  it('names the byte at which the text stops being JSON', () => {
    expect(~skipValue(bytesOf('{"a":1,}'), 0)).toBe(7);
    expect(~skipValue(bytesOf('[1, 2 3]'), 0)).toBe(6);
    expect(~skipValue(bytesOf('"a\nb"'), 0)).toBe(2);
    expect(~skipValue(bytesOf(String.raw`"\u00x0"`), 0)).toBe(5);
    expect(~skipValue(bytesOf('[truth]'), 0)).toBe(4);
  });

  it('is not stopped by 100,000 levels of nesting', () => {
    const levels = 100_000;
    const nested = bytesOf('{"a":['.repeat(levels / 2) + ']}'.repeat(levels / 2));
    expect(skipValue(nested, 0)).toBe(nested.length);
    expect(skipValue(nested.subarray(0, -1), 0)).toBe(~(nested.length - 1));
  });
});

describe('visitMembers', () => {
  const membersOf = (bytes: Uint8Array, at: number): { end: number; members: JsonMember[] } => {
    const members: JsonMember[] = [];
    const end = visitMembers(bytes, at, (member) => members.push(member));
    return { end, members };
  };

  it('visits every member in order, duplicates too, with the spans of name and value', () => {
    fc.assert(
      fc.property(jsonObjects, whitespaces, (tree, spaces) => {
        const text = writeJson(tree, spaces);
        const bytes = bytesOf(text);
        const { end, members } = membersOf(bytes, 0);
        expect(end).toBe(bytes.length);
        expect(members.length).toBe(tree.members.length);
        for (const [index, { nameStart, nameEnd, valueStart, valueEnd }] of members.entries()) {
          const { nameText, value } = tree.members[index] as (typeof tree.members)[number];
          expect(new TextDecoder().decode(bytes.subarray(nameStart, nameEnd))).toBe(nameText);
          expect(readString(bytes, nameStart, nameEnd)).toBe(JSON.parse(nameText));
          expect(readJson(bytes, valueStart, valueEnd)).toEqual(JSON.parse(writeJson(value, [''])));
        }
      }),
    );
  });

  it('agrees with skipValue about where an object ends or breaks', () => {
    fc.assert(
      fc.property(jsonObjects, whitespaces, fc.nat(), fc.nat(255), (tree, spaces, at, byte) => {
        const bytes = bytesOf(writeJson(tree, spaces));
        bytes[1 + (at % (bytes.length - 1))] = byte;
        expect(membersOf(bytes, 0).end).toBe(skipValue(bytes, 0));
      }),
      { numRuns: 1000 },
    );
  });

  it('has visited the members before the fault', () => {
    const { end, members } = membersOf(bytesOf('{"a":1,"b":oops}'), 0);
    expect(members.length).toBe(1);
    expect(~end).toBe(11);
  });

  it('does not start on anything but an object', () => {
    expect(membersOf(bytesOf('[1]'), 0)).toEqual({ end: ~0, members: [] });
  });
});

describe('walkElements', () => {
  it('takes every element in order and ends where skipValue does', () => {
    fc.assert(
      fc.property(fc.array(jsonTrees, { maxLength: 5 }), whitespaces, (items, spaces) => {
        const bytes = bytesOf(writeJson({ kind: 'array', items }, spaces));
        const seen: unknown[] = [];
        const end = walkElements(bytes, 0, (start, index) => {
          const behind = skipValue(bytes, start);
          seen[index] = readJson(bytes, start, behind);
          return behind;
        });
        expect(end).toBe(bytes.length);
        expect(seen).toEqual(items.map((item) => JSON.parse(writeJson(item, ['']))));
      }),
    );
  });

  it('stops where its taker says that a value is broken', () => {
    expect(walkElements(bytesOf('[1,2,3]'), 0, (start, index) => (index === 1 ? ~start : start + 1))).toBe(~3);
  });
});

describe('readString', () => {
  it('keeps a byte order mark that is part of the string', () => {
    expect(readString(bytesOf('"\uFEFFa"'), 0, 6)).toBe('\uFEFFa');
  });
});

describe('byteOrderMarkLength', () => {
  it('is 3 for a UTF-8 mark at the start and 0 for anything else', () => {
    expect(byteOrderMarkLength(bytesOf('\uFEFF{}'))).toBe(3);
    expect(byteOrderMarkLength(bytesOf('{}'))).toBe(0);
    expect(byteOrderMarkLength(Uint8Array.of(0xef, 0xbb))).toBe(0);
  });
});
