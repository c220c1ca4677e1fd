import {
  byteOrderMarkLength,
  readString,
  skipString,
  skipValue,
  skipWhitespace,
  visitMembers,
  walkElements,
  walkMembers,
} from '../../core/json-cursor.ts';

/** Where the parts of a Messages body stand that a continuation asks about. Offsets are bytes from its start. */
export interface BodyOutline {
  /** In order; every name once. */
  readonly fields: readonly BodyField[];
  /** As it is written; null where the last message names none or several. */
  readonly lastRole: string | null;
  /** The offset behind the last message: where another one can be put. */
  readonly lastMessageEnd: number;
}

export interface BodyField {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** null for anything but one JSON object with one list of messages that isn't empty, and no field twice. */
export function outlineOf(body: Uint8Array): BodyOutline | null {
  const fields: BodyField[] = [];
  const start = skipWhitespace(body, byteOrderMarkLength(body));
  let last: { readonly start: number; readonly end: number } | null = null;
  const end = walkMembers(body, start, (nameStart, nameEnd, valueStart) => {
    const name = readString(body, nameStart, nameEnd);
    const isMessages = name === 'messages';
    const valueEnd = isMessages
      ? walkElements(body, valueStart, (at) => {
          const messageEnd = skipValue(body, at);
          last = { start: at, end: messageEnd };
          return messageEnd;
        })
      : skipValue(body, valueStart);
    fields.push({ name, start: valueStart, end: valueEnd });
    return valueEnd;
  });
  const isOneObject = end >= 0 && skipWhitespace(body, end) === body.length;
  const isClear = new Set(fields.map(({ name }) => name)).size === fields.length;
  return isOneObject && isClear ? withLast(body, fields, last) : null;
}

function withLast(
  body: Uint8Array,
  fields: readonly BodyField[],
  last: { readonly start: number; readonly end: number } | null,
): BodyOutline | null {
  return last && { fields, lastRole: roleOf(body, last.start), lastMessageEnd: last.end };
}

function roleOf(body: Uint8Array, message: number): string | null {
  const roles: (string | null)[] = [];
  visitMembers(body, message, ({ nameStart, nameEnd, valueStart, valueEnd }) => {
    if (readString(body, nameStart, nameEnd) !== 'role') return;
    roles.push(skipString(body, valueStart) === valueEnd ? readString(body, valueStart, valueEnd) : null);
  });
  return roles.length === 1 ? (roles[0] ?? null) : null;
}
