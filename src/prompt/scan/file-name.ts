import { asciiBytes, startsWith } from '../../core/bytes.ts';
import { BACKSLASH, readString, type OnName } from '../../core/json-cursor.ts';

/** The one name by which a body can name a file (docs: files). */
const NAME = 'file_id';
const LETTERS = asciiBytes(NAME);
const PLAIN_BYTES = LETTERS.length + 2;
/** One letter at least is escaped, in six bytes; at most all of them are. */
const MIN_ESCAPED_BYTES = PLAIN_BYTES + 5;
const MAX_ESCAPED_BYTES = 6 * LETTERS.length + 2;

/** Notes whether any of the names that it is told of is `file_id`, however it is escaped. */
export function watchForFiles(bytes: Uint8Array, found: { namesFile: boolean }): OnName {
  return (nameStart, nameEnd) => {
    if (isFileName(bytes, nameStart, nameEnd)) found.namesFile = true;
  };
}

function isFileName(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length === PLAIN_BYTES) return startsWith(bytes, LETTERS, start + 1);
  if (length < MIN_ESCAPED_BYTES || length > MAX_ESCAPED_BYTES) return false;
  return bytes.subarray(start, end).includes(BACKSLASH) && readString(bytes, start, end) === NAME;
}
