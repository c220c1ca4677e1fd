import { asciiBytes, equalBytes, startsWith } from './bytes.ts';
import { createLineReader } from './line-reader.ts';

/**
 * Server-sent events as they arrive (WHATWG HTML, "server-sent events"): bytes in, at any split, events out. The bytes
 * themselves are relayed elsewhere and untouched; this only reads along. Most events of an answer are deltas that
 * nobody here needs: their data is neither copied nor decoded, so that reading along costs a line search per event.
 */

/** A longer event is reported without its data: reading along must not buffer without bound. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

const SPACE = 0x20;
const COLON = 0x3a;
const EVENT_FIELD = asciiBytes('event');
const DATA_FIELD = asciiBytes('data');
const DATA_AND_COLON = asciiBytes('data:');
const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);
/** As much of a line as tells which field it is: a mark, the longer name and its colon. */
const HEAD_BYTES = BYTE_ORDER_MARK.length + EVENT_FIELD.length + 1;

export interface SseReader {
  push(chunk: Uint8Array): void;
  /** True between events: the only place where a frame of our own may be put into the stream. */
  readonly atBoundary: boolean;
}

/**
 * @param wants whether the data of events of this type is needed; '' is an event that has had no name so far.
 * @param onEvent called at the blank line that ends an event, also one without data, as Anthropic's SDKs do; `data` is
 *   '' where it was not wanted or too long.
 */
export function createSseReader(
  wants: (type: string) => boolean,
  onEvent: (type: string, data: string) => void,
): SseReader {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true }); // a mark is one at the very start only
  let isFirstLine = true;
  let inEvent = false; // a line of it has been seen; comments are between events
  let hasFields = false;
  let type = '';
  let lastTypeBytes: Uint8Array = new Uint8Array();
  let lastType = '';
  let data: string[] = [];
  let dataBytes = 0;

  const readType = (bytes: Uint8Array): string => {
    if (!equalBytes(bytes, lastTypeBytes)) {
      lastTypeBytes = bytes.slice();
      lastType = decoder.decode(bytes);
    }
    return lastType;
  };

  const endEvent = (): void => {
    if (hasFields) onEvent(type, dataBytes > MAX_EVENT_BYTES ? '' : data.join('\n'));
    type = '';
    data = [];
    dataBytes = 0;
    hasFields = false;
    inEvent = false;
  };

  const readData = (line: Uint8Array, isCut: boolean): void => {
    if (!wants(type)) return;
    dataBytes += isCut ? MAX_EVENT_BYTES + 1 : line.length;
    if (dataBytes <= MAX_EVENT_BYTES) data.push(decoder.decode(fieldValue(line, DATA_FIELD)));
    else data = [];
  };

  const readLine = (lineAsSent: Uint8Array, isCut: boolean): void => {
    const line = isFirstLine ? withoutMark(lineAsSent) : lineAsSent;
    isFirstLine = false;
    if (line.length === 0) return endEvent();
    if (line[0] === COLON) return;
    inEvent = true;
    if (isField(line, EVENT_FIELD)) {
      hasFields = true;
      type = isCut ? '' : readType(fieldValue(line, EVENT_FIELD));
    } else if (isField(line, DATA_FIELD)) {
      hasFields = true;
      readData(line, isCut);
    }
  };

  const isUnwanted = (head: Uint8Array): boolean => startsWith(head, DATA_AND_COLON) && !wants(type);
  const lines = createLineReader({ maxBytes: MAX_EVENT_BYTES, headBytes: HEAD_BYTES, isUnwanted, onLine: readLine });
  return {
    push: (chunk) => lines.push(chunk),
    get atBoundary() {
      return !inEvent && !lines.inLine;
    },
  };
}

function withoutMark(line: Uint8Array): Uint8Array {
  return startsWith(line, BYTE_ORDER_MARK) ? line.subarray(BYTE_ORDER_MARK.length) : line;
}

/** A field without a colon has an empty value. */
function isField(line: Uint8Array, name: Uint8Array): boolean {
  return startsWith(line, name) && (line.length === name.length || line[name.length] === COLON);
}

function fieldValue(line: Uint8Array, name: Uint8Array): Uint8Array {
  const start = name.length + 1;
  return line.subarray(line[start] === SPACE ? start + 1 : start);
}
