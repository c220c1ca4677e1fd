import { asciiBytes, startsWith } from '../../core/bytes.ts';
import { BACKSLASH, readString } from '../../core/json-cursor.ts';

/**
 * Which of a few known names stands at a place in the body, without decoding it: a body has thousands of member names
 * and type words, and all that matter are known beforehand.
 */
export interface NameTable<Name extends string> {
  /** The known name between `start` and `end` (quotes included), null for any other string. */
  at(bytes: Uint8Array, start: number, end: number): Name | null;
}

export function createNameTable<Name extends string>(names: readonly Name[]): NameTable<Name> {
  const byLength: { name: Name; letters: Uint8Array }[][] = [];
  for (const name of names) {
    const letters = asciiBytes(name);
    (byLength[letters.length] ??= []).push({ name, letters });
  }
  const longest = byLength.length - 1;
  return {
    at(bytes, start, end) {
      const candidates = byLength[end - start - 2];
      if (candidates)
        for (const { name, letters } of candidates) if (startsWith(bytes, letters, start + 1)) return name;
      return isEscaped(bytes, start, end, longest) ? decoded(names, bytes, start, end) : null;
    },
  };
}

/** An escaped letter takes at most six bytes; longer strings can be none of the names. */
function isEscaped(bytes: Uint8Array, start: number, end: number, longestName: number): boolean {
  if (end - start - 2 > longestName * 6) return false;
  for (let at = start + 1; at < end - 1; at++) if (bytes[at] === BACKSLASH) return true;
  return false;
}

function decoded<Name extends string>(names: readonly Name[], bytes: Uint8Array, start: number, end: number) {
  const text = readString(bytes, start, end);
  return names.find((name) => name === text) ?? null;
}
