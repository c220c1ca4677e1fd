import { OPEN_BRACE, QUOTE, visitMembers } from '../../core/json-cursor.ts';
import { TIES, type ByteRange, type ScannedPrompt, type Tie } from '../../core/scanned-prompt.ts';
import { createNameTable } from './known-names.ts';

/**
 * What a body says about whose and which conversation it is. All of it stands in small values, which the scan has skipped
 * already and which are read once more here; what is longer than any id is somebody's mistake and not read.
 */
const NAMES = createNameTable(['user_id', 'previous_message_id', 'id']);
type Name = NonNullable<ReturnType<typeof NAMES.at>>;

/** A `metadata.user_id` of Claude Code has some 200 bytes, an answer's id some 30. */
const MAX_VALUE_BYTES = 4096;

export function stronger(one: Tie, other: Tie): Tie {
  return TIES.indexOf(other) > TIES.indexOf(one) ? other : one;
}

export function userIdOf(bytes: Uint8Array, start: number, end: number): ByteRange | null {
  return stringMember(bytes, start, end, 'user_id');
}

export function threadOf(bytes: Uint8Array, start: number, end: number): NonNullable<ScannedPrompt['thread']> {
  return { previousMessageId: stringMember(bytes, start, end, 'previous_message_id') };
}

/** A container is an id, or an object that may have one; without one it is yet to be made. */
export function containerTie(bytes: Uint8Array, start: number, end: number): Tie {
  return bytes[start] === QUOTE || stringMember(bytes, start, end, 'id') ? 'container' : 'none';
}

function stringMember(bytes: Uint8Array, start: number, end: number, name: Name): ByteRange | null {
  if (bytes[start] !== OPEN_BRACE || end - start > MAX_VALUE_BYTES) return null;
  let found: ByteRange | null = null;
  visitMembers(bytes, start, ({ nameStart, nameEnd, valueStart, valueEnd }) => {
    if (bytes[valueStart] === QUOTE && NAMES.at(bytes, nameStart, nameEnd) === name) {
      found = { start: valueStart, end: valueEnd };
    }
  });
  return found;
}
