import { asciiBytes, copyOf, equalBytes, startsWith } from './bytes.ts';
import { createLineReader, type LineReaderOptions } from './line-reader.ts';

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
const NO_BYTES = new Uint8Array();
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
  return new Events(wants, onEvent);
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true }); // a mark is one at the very start only

class Events implements SseReader, LineReaderOptions {
  readonly maxBytes = MAX_EVENT_BYTES;
  readonly headBytes = HEAD_BYTES;
  readonly #wants: (type: string) => boolean;
  readonly #onEvent: (type: string, data: string) => void;
  readonly #lines = createLineReader(this);
  #isFirstLine = true;
  #inEvent = false; // a line of it has been seen; comments are between events
  #hasFields = false;
  #type = '';
  #lastTypeBytes: Uint8Array = NO_BYTES;
  #lastType = '';
  #data: string[] = [];
  #dataBytes = 0;

  constructor(wants: (type: string) => boolean, onEvent: (type: string, data: string) => void) {
    this.#wants = wants;
    this.#onEvent = onEvent;
  }

  get atBoundary(): boolean {
    return !this.#inEvent && !this.#lines.inLine;
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  isUnwanted(head: Uint8Array): boolean {
    return startsWith(head, DATA_AND_COLON) && !this.#wants(this.#type);
  }

  onLine(lineAsSent: Uint8Array, isCut: boolean): void {
    const line = this.#isFirstLine ? withoutMark(lineAsSent) : lineAsSent;
    this.#isFirstLine = false;
    if (line.length === 0) return this.#endEvent();
    if (line[0] === COLON) return;
    this.#inEvent = true;
    if (isField(line, EVENT_FIELD)) {
      this.#hasFields = true;
      this.#type = isCut ? '' : this.#readType(line);
    } else if (isField(line, DATA_FIELD)) {
      this.#hasFields = true;
      this.#readData(line, isCut);
    }
  }

  /** Nearly every event is of the type of the one before. */
  #readType(line: Uint8Array): string {
    const start = valueStart(line, EVENT_FIELD);
    if (!equalBytes(line, this.#lastTypeBytes, start)) {
      this.#lastTypeBytes = copyOf(line.subarray(start));
      this.#lastType = decoder.decode(this.#lastTypeBytes);
    }
    return this.#lastType;
  }

  #readData(line: Uint8Array, isCut: boolean): void {
    if (!this.#wants(this.#type)) return;
    this.#dataBytes += isCut ? MAX_EVENT_BYTES + 1 : line.length;
    if (this.#dataBytes <= MAX_EVENT_BYTES)
      this.#data.push(decoder.decode(line.subarray(valueStart(line, DATA_FIELD))));
    else this.#data = [];
  }

  #endEvent(): void {
    if (this.#hasFields) this.#onEvent(this.#type, this.#dataBytes > MAX_EVENT_BYTES ? '' : this.#data.join('\n'));
    this.#type = '';
    if (this.#dataBytes > 0) this.#data = [];
    this.#dataBytes = 0;
    this.#hasFields = false;
    this.#inEvent = false;
  }
}

function withoutMark(line: Uint8Array): Uint8Array {
  return startsWith(line, BYTE_ORDER_MARK) ? line.subarray(BYTE_ORDER_MARK.length) : line;
}

/** A field without a colon has an empty value. */
function isField(line: Uint8Array, name: Uint8Array): boolean {
  return startsWith(line, name) && (line.length === name.length || line[name.length] === COLON);
}

function valueStart(line: Uint8Array, name: Uint8Array): number {
  const start = name.length + 1;
  return line[start] === SPACE ? start + 1 : start;
}
