import { asciiBytes } from './bytes.ts';

/**
 * A strict, allocation-free walk over the bytes of one JSON text (RFC 8259), without recursion, so that 100,000
 * levels of nesting cost a list entry each. It tells where things are and never what they mean: bodies are forwarded as
 * the caller's bytes, so nothing here builds an object.
 *
 * Every `skip…` takes the offset of the first byte and returns the offset behind the value, or a negative number
 * `~offset` for the byte at which the text stops being JSON. Bytes inside strings are not checked to be UTF-8.
 */

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const COMMA = 0x2c;
export const COLON = 0x3a;

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Offset of the first byte at or behind `at` that is not JSON white space. */
export function skipWhitespace(bytes: Uint8Array, at: number): number {
  let offset = at;
  for (;;) {
    const byte = bytes[offset];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return offset;
    offset++;
  }
}

/** Three bytes where a UTF-8 byte order mark stands at the start, else 0. */
export function byteOrderMarkLength(bytes: Uint8Array): 0 | 3 {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

export function skipString(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return ~at;
  let offset = at + 1;
  for (;;) {
    const byte = bytes[offset] as number;
    if (byte > BACKSLASH) {
      offset++; // most of any text: nothing that matters stands above the backslash
    } else if (byte === QUOTE) {
      return offset + 1;
    } else if (byte === BACKSLASH) {
      offset = skipEscape(bytes, offset);
      if (offset < 0) return offset;
    } else if (byte >= 0x20) {
      offset++;
    } else {
      return ~offset; // a control character, or the end of the text (undefined >= 0x20 is false)
    }
  }
}

function skipEscape(bytes: Uint8Array, at: number): number {
  switch (bytes[at + 1]) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2;
    case 0x75: // u
      for (let digit = 2; digit < 6; digit++) if (!isHexDigit(bytes[at + digit])) return ~(at + digit);
      return at + 6;
    default:
      return ~(at + 1);
  }
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

function skipDigits(bytes: Uint8Array, at: number): number {
  if (!isDigit(bytes[at])) return ~at;
  let offset = at + 1;
  while (isDigit(bytes[offset])) offset++;
  return offset;
}

export function skipNumber(bytes: Uint8Array, at: number): number {
  let offset = bytes[at] === MINUS ? at + 1 : at;
  offset = bytes[offset] === ZERO ? offset + 1 : skipDigits(bytes, offset);
  if (offset >= 0 && bytes[offset] === 0x2e) offset = skipDigits(bytes, offset + 1);
  if (offset >= 0 && (bytes[offset] === 0x65 || bytes[offset] === 0x45)) {
    const sign = bytes[offset + 1];
    offset = skipDigits(bytes, sign === 0x2b || sign === MINUS ? offset + 2 : offset + 1);
  }
  return offset;
}

const LITERALS = ['true', 'false', 'null'].map(asciiBytes);

function skipLiteral(bytes: Uint8Array, at: number): number {
  const literal = LITERALS.find((word) => word[0] === bytes[at]);
  if (!literal) return ~at;
  for (let index = 1; index < literal.length; index++) if (bytes[at + index] !== literal[index]) return ~(at + index);
  return at + literal.length;
}

/** A string, number or literal: what holds nothing else. */
function skipScalar(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === QUOTE) return skipString(bytes, at);
  return byte === MINUS || isDigit(byte) ? skipNumber(bytes, at) : skipLiteral(bytes, at);
}

/** Is told where each member's name stands that is passed, quotes included. */
export type OnName = (nameStart: number, nameEnd: number) => void;

/** From the opening quote of a member's name to the first byte of its value. */
export function skipName(bytes: Uint8Array, at: number, onName?: OnName): number {
  const end = skipString(bytes, at);
  if (end < 0) return end;
  onName?.(at, end);
  const colon = skipWhitespace(bytes, end);
  return bytes[colon] === COLON ? skipWhitespace(bytes, colon + 1) : ~colon;
}

/** Any value, however deep. `at` must be its first byte, not white space before it. */
export function skipValue(bytes: Uint8Array, at: number, onName?: OnName): number {
  const first = bytes[at];
  return first === OPEN_BRACE || first === OPEN_BRACKET ? skipContainer(bytes, at, onName) : skipScalar(bytes, at);
}

function skipContainer(bytes: Uint8Array, at: number, onName?: OnName): number {
  const open: number[] = []; // the closing byte of every container we are in
  let offset = at;
  for (;;) {
    const byte = bytes[offset];
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const close = byte + 2; // '{' '}' and '[' ']' are two apart in ASCII
      offset = skipWhitespace(bytes, offset + 1);
      if (bytes[offset] === close) {
        offset++;
      } else {
        open.push(close);
        if (close === CLOSE_BRACE) offset = skipName(bytes, offset, onName);
        if (offset < 0) return offset;
        continue;
      }
    } else {
      offset = skipScalar(bytes, offset);
      if (offset < 0) return offset;
    }
    offset = skipToNextValue(bytes, offset, open, onName);
    if (offset < 0 || open.length === 0) return offset;
  }
}

/** Behind a value: closes what ends here and stops at the next value, or behind the outermost container. */
function skipToNextValue(bytes: Uint8Array, at: number, open: number[], onName?: OnName): number {
  let offset = at;
  while (open.length > 0) {
    offset = skipWhitespace(bytes, offset);
    const byte = bytes[offset];
    if (byte === open[open.length - 1]) {
      open.pop();
      offset++;
    } else if (byte === COMMA) {
      offset = skipWhitespace(bytes, offset + 1);
      return open[open.length - 1] === CLOSE_BRACE ? skipName(bytes, offset, onName) : offset;
    } else {
      return ~offset;
    }
  }
  return offset;
}

/**
 * Walks the object that starts at `at`. For each member, in order and with duplicates, `take` gets where the name stands
 * (quotes included) and where the value begins; it returns the offset behind the value (`skipValue`, or a walk of its
 * own, so that no byte is read twice) or a negative fault. Returns the offset behind the object, or `~offset`.
 */
export function walkMembers(
  bytes: Uint8Array,
  at: number,
  take: (nameStart: number, nameEnd: number, valueStart: number) => number,
  onName?: OnName,
): number {
  if (bytes[at] !== OPEN_BRACE) return ~at;
  let offset = skipWhitespace(bytes, at + 1);
  if (bytes[offset] === CLOSE_BRACE) return offset + 1;
  for (;;) {
    const nameEnd = skipString(bytes, offset);
    if (nameEnd < 0) return nameEnd;
    onName?.(offset, nameEnd);
    const colon = skipWhitespace(bytes, nameEnd);
    if (bytes[colon] !== COLON) return ~colon;
    const valueEnd = take(offset, nameEnd, skipWhitespace(bytes, colon + 1));
    if (valueEnd < 0) return valueEnd;
    offset = skipWhitespace(bytes, valueEnd);
    if (bytes[offset] === CLOSE_BRACE) return offset + 1;
    if (bytes[offset] !== COMMA) return ~offset;
    offset = skipWhitespace(bytes, offset + 1);
  }
}

/** Walks the array that starts at `at`; `take` gets where each element begins, as in `walkMembers`. */
export function walkElements(bytes: Uint8Array, at: number, take: (start: number, index: number) => number): number {
  if (bytes[at] !== OPEN_BRACKET) return ~at;
  let offset = skipWhitespace(bytes, at + 1);
  if (bytes[offset] === CLOSE_BRACKET) return offset + 1;
  for (let index = 0; ; index++) {
    const end = take(offset, index);
    if (end < 0) return end;
    offset = skipWhitespace(bytes, end);
    if (bytes[offset] === CLOSE_BRACKET) return offset + 1;
    if (bytes[offset] !== COMMA) return ~offset;
    offset = skipWhitespace(bytes, offset + 1);
  }
}

/** Where one member of an object stands: the name with its quotes, then the value. */
export interface JsonMember {
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** `walkMembers` for those who only want to know where the values are. */
export function visitMembers(bytes: Uint8Array, at: number, visit: (member: JsonMember) => void): number {
  return walkMembers(bytes, at, (nameStart, nameEnd, valueStart) => {
    const valueEnd = skipValue(bytes, valueStart);
    if (valueEnd >= 0) visit({ nameStart, nameEnd, valueStart, valueEnd });
    return valueEnd;
  });
}

/** Without this a string that begins with U+FEFF would lose it. */
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The string that stands between `start` and `end` (quotes included), its escapes resolved. */
export function readString(bytes: Uint8Array, start: number, end: number): string {
  const inner = bytes.subarray(start + 1, end - 1);
  if (!inner.includes(BACKSLASH)) return textDecoder.decode(inner);
  return JSON.parse(textDecoder.decode(bytes.subarray(start, end))) as string;
}

/** The value between `start` and `end`, parsed. For small values only. */
export function readJson(bytes: Uint8Array, start: number, end: number): unknown {
  return JSON.parse(textDecoder.decode(bytes.subarray(start, end)));
}
