import {
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipValue,
  walkElements,
  walkMembers,
  type OnName,
} from '../../core/json-cursor.ts';
import { createNameTable } from './known-names.ts';

/**
 * The source of a picture or document, walked once: which of it is a file's data, whose bytes do not weigh like text, and
 * whether it names an uploaded file, which ties the prompt to one workspace (docs: files). A document's source may consist
 * of blocks with sources of their own; those have no more in them.
 */
export interface SourceNotes {
  namesFile: boolean;
  /** Bytes of base64 data. */
  encodedBytes: number;
}

const NAMES = createNameTable(['type', 'data', 'file_id', 'content', 'source']);
const ENCODED = createNameTable(['base64']);

/** Adds what it finds to `notes`; returns the offset behind the source, or `~offset` where the text stops being JSON. */
export function scanSource(
  bytes: Uint8Array,
  start: number,
  notes: SourceNotes,
  onName: OnName,
  isInner = false,
): number {
  if (bytes[start] !== OPEN_BRACE) return skipValue(bytes, start, onName);
  let isEncoded = false;
  let dataBytes = 0;
  const takeMember = (nameStart: number, nameEnd: number, valueStart: number): number => {
    const name = NAMES.at(bytes, nameStart, nameEnd);
    const hasBlocks = name === 'content' && bytes[valueStart] === OPEN_BRACKET && !isInner;
    const valueEnd = hasBlocks ? scanBlocks(bytes, valueStart, notes, onName) : skipValue(bytes, valueStart, onName);
    if (valueEnd < 0 || bytes[valueStart] !== QUOTE) return valueEnd;
    if (name === 'file_id') notes.namesFile = true;
    if (name === 'type') isEncoded = ENCODED.at(bytes, valueStart, valueEnd) !== null;
    if (name === 'data') dataBytes = valueEnd - valueStart;
    return valueEnd;
  };
  const end = walkMembers(bytes, start, takeMember, onName);
  if (isEncoded) notes.encodedBytes += dataBytes;
  return end;
}

function scanBlocks(bytes: Uint8Array, start: number, notes: SourceNotes, onName: OnName): number {
  return walkElements(bytes, start, (block) => {
    if (bytes[block] !== OPEN_BRACE) return skipValue(bytes, block, onName);
    const takeMember = (nameStart: number, nameEnd: number, valueStart: number): number => {
      const isSource = NAMES.at(bytes, nameStart, nameEnd) === 'source';
      return isSource ? scanSource(bytes, valueStart, notes, onName, true) : skipValue(bytes, valueStart, onName);
    };
    return walkMembers(bytes, block, takeMember, onName);
  });
}
