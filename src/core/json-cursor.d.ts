/**
 * A strict, allocation-free walk over the bytes of one JSON text (RFC 8259), without recursion, so that 100,000
 * levels of nesting cost a list entry each. It tells where things are and never what they mean: bodies are forwarded as
 * the caller's bytes, so nothing here builds an object.
 *
 * Every `skip…` takes the offset of the first byte and returns the offset behind the value, or a negative number
 * `~offset` for the byte at which the text stops being JSON. Bytes inside strings are not checked to be UTF-8.
 */
export declare const QUOTE = 34;
export declare const BACKSLASH = 92;
export declare const OPEN_BRACE = 123;
export declare const CLOSE_BRACE = 125;
export declare const OPEN_BRACKET = 91;
export declare const CLOSE_BRACKET = 93;
export declare const COMMA = 44;
export declare const COLON = 58;
/** Offset of the first byte at or behind `at` that is not JSON white space. */
export declare function skipWhitespace(bytes: Uint8Array, at: number): number;
/** Three bytes where a UTF-8 byte order mark stands at the start, else 0. */
export declare function byteOrderMarkLength(bytes: Uint8Array): 0 | 3;
export declare function skipString(bytes: Uint8Array, at: number): number;
export declare function skipNumber(bytes: Uint8Array, at: number): number;
/** From the opening quote of a member's name to the first byte of its value. */
export declare function skipName(bytes: Uint8Array, at: number): number;
/** Any value, however deep. `at` must be its first byte, not white space before it. */
export declare function skipValue(bytes: Uint8Array, at: number): number;
/**
 * Walks the object that starts at `at`. For each member, in order and with duplicates, `take` gets where the name stands
 * (quotes included) and where the value begins; it returns the offset behind the value (`skipValue`, or a walk of its
 * own, so that no byte is read twice) or a negative fault. Returns the offset behind the object, or `~offset`.
 */
export declare function walkMembers(
  bytes: Uint8Array,
  at: number,
  take: (nameStart: number, nameEnd: number, valueStart: number) => number,
): number;
/** Walks the array that starts at `at`; `take` gets where each element begins, as in `walkMembers`. */
export declare function walkElements(
  bytes: Uint8Array,
  at: number,
  take: (start: number, index: number) => number,
): number;
/** Where one member of an object stands: the name with its quotes, then the value. */
export interface JsonMember {
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}
/** `walkMembers` for those who only want to know where the values are. */
export declare function visitMembers(bytes: Uint8Array, at: number, visit: (member: JsonMember) => void): number;
/** The string that stands between `start` and `end` (quotes included), its escapes resolved. */
export declare function readString(bytes: Uint8Array, start: number, end: number): string;
/** The value between `start` and `end`, parsed. For small values only. */
export declare function readJson(bytes: Uint8Array, start: number, end: number): unknown;
