/**
 * Server-sent events as they arrive (WHATWG HTML, "server-sent events"): bytes in, at any split, events out. The bytes
 * themselves are relayed elsewhere and untouched; this only reads along. Most events of an answer are deltas that
 * nobody here needs: their data is neither copied nor decoded, so that reading along costs a line search per event.
 */

/** A longer event is reported without its data: reading along must not buffer without bound. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const EVENT_FIELD = ascii('event:');
const DATA_FIELD = ascii('data:');

export interface SseReader {
  push(chunk: Uint8Array): void;
  /** True between events: the only place where a frame of our own may be put into the stream. */
  readonly atBoundary: boolean;
}

/**
 * @param wants whether the data of events of this type is needed; asked once per event. '' is an event without a name.
 * @param onEvent called at the blank line that ends an event; `data` is '' where it was not wanted or too long.
 */
export function createSseReader(
  wants: (type: string) => boolean,
  onEvent: (type: string, data: string) => void,
): SseReader {
  const decoder = new TextDecoder();
  let partial: Uint8Array[] = []; // the pieces of a line whose end has not arrived
  let skippingLine = false; // inside a data line that nobody wants
  let afterCr = false;
  let type = '';
  let lastTypeBytes: Uint8Array = new Uint8Array();
  let lastType = '';
  let data: string[] = [];
  let dataBytes = 0;
  let fieldsSeen = false;

  const readType = (bytes: Uint8Array): string => {
    if (!equals(bytes, lastTypeBytes)) {
      lastTypeBytes = bytes.slice();
      lastType = decoder.decode(bytes);
    }
    return lastType;
  };

  const endEvent = (): void => {
    if (fieldsSeen) onEvent(type, dataBytes > MAX_EVENT_BYTES ? '' : data.join('\n'));
    type = '';
    data = [];
    dataBytes = 0;
    fieldsSeen = false;
  };

  const readLine = (line: Uint8Array): void => {
    if (line.length === 0) return endEvent();
    if (startsWith(line, EVENT_FIELD)) {
      fieldsSeen = true;
      type = readType(fieldValue(line, EVENT_FIELD.length));
    } else if (startsWith(line, DATA_FIELD)) {
      fieldsSeen = true;
      dataBytes += line.length;
      if (wants(type) && dataBytes <= MAX_EVENT_BYTES) data.push(decoder.decode(fieldValue(line, DATA_FIELD.length)));
    }
  };

  const keepPartial = (rest: Uint8Array): void => {
    if (skippingLine) return;
    const isUnwanted = partial.length === 0 && startsWith(rest, DATA_FIELD) && !wants(type);
    const isTooLong = partial.reduce((sum, piece) => sum + piece.length, rest.length) > MAX_EVENT_BYTES;
    if (isUnwanted || isTooLong) {
      skippingLine = true;
      fieldsSeen = true;
      if (isTooLong) dataBytes = MAX_EVENT_BYTES + 1;
      partial = [];
    } else {
      partial.push(rest.slice());
    }
  };

  const endLine = (tail: Uint8Array): void => {
    if (skippingLine) {
      skippingLine = false;
    } else if (partial.length > 0) {
      const line = concatenate([...partial, tail]);
      partial = [];
      readLine(line);
    } else {
      readLine(tail);
    }
  };

  return {
    push(chunk) {
      let start = afterCr && chunk[0] === LF ? 1 : 0;
      if (chunk.length > 0) afterCr = false;
      const hasCr = chunk.includes(CR);
      while (start < chunk.length) {
        const end = lineEnd(chunk, start, hasCr);
        if (end < 0) return keepPartial(chunk.subarray(start));
        endLine(chunk.subarray(start, end));
        start = end + 1;
        if (chunk[end] === CR) {
          if (start === chunk.length) afterCr = true;
          else if (chunk[start] === LF) start++;
        }
      }
    },
    get atBoundary() {
      return !fieldsSeen && !skippingLine && partial.length === 0;
    },
  };
}

function lineEnd(chunk: Uint8Array, start: number, hasCr: boolean): number {
  const lf = chunk.indexOf(LF, start);
  if (!hasCr) return lf;
  const cr = chunk.indexOf(CR, start);
  return cr < 0 || (lf >= 0 && lf < cr) ? lf : cr;
}

function fieldValue(line: Uint8Array, fieldLength: number): Uint8Array {
  return line.subarray(line[fieldLength] === SPACE ? fieldLength + 1 : fieldLength);
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let index = 0; index < prefix.length; index++) if (bytes[index] !== prefix[index]) return false;
  return true;
}

function equals(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && startsWith(left, right);
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
