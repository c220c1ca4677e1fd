import type { ErrorCode } from '../core/errors.ts';
import {
  byteOrderMarkLength,
  OPEN_BRACE,
  QUOTE,
  readString,
  skipValue,
  skipWhitespace,
  visitMembers,
  type JsonMember,
} from '../core/json-cursor.ts';

/**
 * What the gateway must know of a Messages body before it forwards the bytes. It refuses what no upstream could read
 * and judges nothing else: unknown fields, missing models and bad schemas are Anthropic's to answer.
 */
export type MessagesRequest =
  | { readonly kind: 'valid'; readonly model: string | null }
  | { readonly kind: 'invalid'; readonly code: ErrorCode; readonly detail?: string };

/** @param isUtf8 a strict check of the runtime's own: V8 has none that is faster than decoding. */
export function readMessagesRequest(bytes: Uint8Array, isUtf8: (bytes: Uint8Array) => boolean): MessagesRequest {
  if (!isUtf8(bytes)) return { kind: 'invalid', code: 'body_not_utf8' };
  const start = skipWhitespace(bytes, byteOrderMarkLength(bytes));
  if (start === bytes.length) return { kind: 'invalid', code: 'body_not_json', detail: 'It is empty.' };
  return bytes[start] === OPEN_BRACE ? readObject(bytes, start) : readOther(bytes, start);
}

function readObject(bytes: Uint8Array, start: number): MessagesRequest {
  let model: string | null = null;
  let streamIsBoolean = true;
  const end = visitMembers(bytes, start, (member) => {
    const name = shortName(bytes, member);
    // Of duplicate keys the last one counts, as in every common parser.
    if (name === 'model') model = bytes[member.valueStart] === QUOTE ? valueString(bytes, member) : null;
    if (name === 'stream') streamIsBoolean = isBoolean(bytes, member);
  });
  if (end < 0) return notJson(bytes, ~end);
  const rest = skipWhitespace(bytes, end);
  if (rest < bytes.length) return notJson(bytes, rest);
  return streamIsBoolean ? { kind: 'valid', model } : { kind: 'invalid', code: 'stream_not_boolean' };
}

function readOther(bytes: Uint8Array, start: number): MessagesRequest {
  const end = skipValue(bytes, start);
  const rest = end < 0 ? ~end : skipWhitespace(bytes, end);
  return end < 0 || rest < bytes.length ? notJson(bytes, rest) : { kind: 'invalid', code: 'body_not_object' };
}

function notJson(bytes: Uint8Array, offset: number): MessagesRequest {
  const detail =
    offset >= bytes.length ? `It ends early, after ${bytes.length} bytes.` : `Unexpected byte at offset ${offset}.`;
  return { kind: 'invalid', code: 'body_not_json', detail };
}

/** Longest name read here (`stream`), each letter possibly an escape of six bytes, and two quotes. */
const MAX_NAME_BYTES = 6 * 6 + 2;

function shortName(bytes: Uint8Array, member: JsonMember): string | null {
  if (member.nameEnd - member.nameStart > MAX_NAME_BYTES) return null;
  return readString(bytes, member.nameStart, member.nameEnd);
}

/** No model has a name this long; a longer one is forwarded and stays unknown here. */
const MAX_MODEL_BYTES = 256;

function valueString(bytes: Uint8Array, member: JsonMember): string | null {
  if (member.valueEnd - member.valueStart > MAX_MODEL_BYTES) return null;
  return readString(bytes, member.valueStart, member.valueEnd);
}

function isBoolean(bytes: Uint8Array, member: JsonMember): boolean {
  return bytes[member.valueStart] === 0x74 || bytes[member.valueStart] === 0x66; // true, false: known to be valid JSON
}
