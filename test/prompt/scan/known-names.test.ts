import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNameTable } from '../../../src/prompt/scan/known-names.ts';

const NAMES = ['role', 'content', 'cache_control', '5m'] as const;
const table = createNameTable(NAMES);

function at(literal: string): string | null {
  const bytes = new TextEncoder().encode(`{${literal}:1}`);
  return table.at(bytes, 1, bytes.length - 3);
}

describe('a name in a body', () => {
  it.each(NAMES)('%s is known as it is written', (name) => {
    expect(at(JSON.stringify(name))).toBe(name);
  });

  it('is known however its letters are escaped', () => {
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), fc.infiniteStream(fc.nat({ max: 3 })), (name, dice) => {
        const escaped = Array.from(name, (letter) => {
          const code = letter.charCodeAt(0).toString(16).padStart(4, '0');
          return [letter, `\\u${code}`, `\\u${code.toUpperCase()}`, letter][dice.next().value ?? 0];
        });
        expect(at(`"${escaped.join('')}"`)).toBe(name);
      }),
    );
  });

  it('is known if and only if it decodes to a known one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (name) => {
        const known = NAMES.find((one) => one === name) ?? null;
        expect(at(JSON.stringify(name.toWellFormed()))).toBe(known);
      }),
    );
  });

  it.each(['"rolE"', '"role "', '"rol"', '""', '"cache_control\\u0000"', '"r\\\\ole"', `"${'\\u0072'.repeat(500)}"`])(
    '%s is none of them',
    (literal) => expect(at(literal)).toBeNull(),
  );
});
