import { concatenate, copyOf } from '../../core/bytes.ts';
import { createSseReader } from '../../core/sse.ts';
import { parseObject, type WireObject } from './wire-object.ts';

/**
 * An event stream cut into its events, each with the bytes it came as. Where a stream may be joined to another one, only
 * whole events can leave: half of one cannot be taken back. What is held is less than one event.
 * Invariant: the bytes of all events and of `rest`, one behind the other, are the bytes that were pushed.
 */
export interface WholeEvent {
  /** With the blank line that ends it. What is no event (a comment, a line end that came late) is one without a type. */
  readonly bytes: Uint8Array;
  /** As it is named; of an event without a name, as its data say. */
  readonly type: string;
  /** null where there are none, where they are no JSON object, and for a ping, whose data nobody reads. */
  readonly data: WireObject | null;
}

export interface WholeEvents {
  push(chunk: Uint8Array): WholeEvent[];
  /** The bytes of the event that is not whole. */
  rest(): Uint8Array;
  restBytes(): number;
}

const LF = 0x0a;
const CR = 0x0d;

export function createWholeEvents(): WholeEvents {
  const cutter = createCutter();
  let type = '';
  let data = '';
  const reader = createSseReader(
    (name) => name !== 'ping',
    (name, text) => {
      type = name;
      data = text;
    },
  );

  const read = (bytes: Uint8Array): WholeEvent => {
    [type, data] = ['', ''];
    reader.push(bytes);
    const value = data === '' ? null : parseObject(data);
    const named = type === '' && typeof value?.['type'] === 'string' ? value['type'] : type;
    return { bytes, type: named, data: value };
  };

  return {
    push: (chunk) => cutter.push(chunk).map(read),
    rest: () => concatenate(cutter.rest()),
    restBytes: () => cutter.rest().reduce((sum, piece) => sum + piece.length, 0),
  };
}

/** Cuts behind each blank line; lines end with LF, CR LF or CR (WHATWG HTML, "server-sent events"). */
function createCutter() {
  let rest: Uint8Array[] = [];
  let lineIsEmpty = true;
  let afterCr = false;

  /** Whether an event ends with this byte. The LF of a CR LF ends nothing that its CR has not ended. */
  const endsEvent = (byte: number): boolean => {
    const isSecondHalf = afterCr && byte === LF;
    afterCr = byte === CR;
    if (isSecondHalf) return false;
    const endsLine = byte === LF || byte === CR;
    const ends = endsLine && lineIsEmpty;
    lineIsEmpty = endsLine;
    return ends;
  };

  return {
    rest: (): readonly Uint8Array[] => rest,
    push(chunk: Uint8Array): Uint8Array[] {
      const events: Uint8Array[] = [];
      let start = 0;
      if (afterCr && rest.length === 0 && chunk[0] === LF) {
        events.push(chunk.subarray(0, 1)); // the event has left with its CR
        afterCr = false;
        start = 1;
      }
      for (let at = start; at < chunk.length; at++) {
        if (!endsEvent(chunk[at] as number)) continue;
        if (afterCr && chunk[at + 1] === LF) at++;
        afterCr &&= chunk[at] === CR;
        events.push(concatenate([...rest, chunk.subarray(start, at + 1)]));
        rest = [];
        start = at + 1;
      }
      if (start < chunk.length) rest.push(copyOf(chunk.subarray(start)));
      return events;
    },
  };
}
