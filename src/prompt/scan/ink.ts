import { BACKSLASH } from '../../core/json-cursor.ts';

/** Whether a text has anything but white space: empty text cannot be cached, and a marker on it is a 400. */
export function hasInk(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start + 1;
  while (at < end - 1) {
    const blank = blankLength(bytes, at);
    if (blank === 0) return bytes[at] !== BACKSLASH || !isUnicodeEscape(bytes, at); // an escaped one might be blank
    at += blank;
  }
  return false;
}

/** Length of the white space that stands at `at`, escaped or in UTF-8 (Unicode's White_Space), else 0. */
function blankLength(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number;
  if (byte === 0x20) return 1;
  const next = bytes[at + 1] as number;
  if (byte === BACKSLASH) return next === 0x6e || next === 0x72 || next === 0x74 || next === 0x66 ? 2 : 0;
  if (byte === 0xc2) return next === 0xa0 || next === 0x85 ? 2 : 0;
  if (byte < 0xe1 || byte > 0xef) return 0;
  const code = ((byte & 0x0f) << 12) | ((next & 0x3f) << 6) | ((bytes[at + 2] as number) & 0x3f);
  return BLANK_CODES.has(code) || (code >= 0x2000 && code <= 0x200f) ? 3 : 0;
}

/** Beyond Latin: White_Space, and the zero-width characters that a sceptical API may strip. */
const BLANK_CODES = new Set([0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x2060, 0x3000, 0xfeff]);

function isUnicodeEscape(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] === 0x75;
}
