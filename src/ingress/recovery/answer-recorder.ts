import { concatenate, copyOf } from '../../core/bytes.ts';
import { createAnswerRecord, type Recoverability } from './answer-record.ts';
import { createWholeEvents } from './whole-events.ts';

/**
 * Reads along the stream of a caller who wants it continued when it breaks. It lets only whole events pass, and no
 * `error`, so that at any moment another stream can be joined to what has left. As soon as nothing can be joined any
 * more it is a pipe: nothing is held and nothing read.
 */
export interface AnswerRecorder {
  /** What may be sent now; may be empty. Bytes are never changed. */
  push(chunk: Uint8Array): Uint8Array;
  recoverable(): Recoverability;
  /**
   * The upstream's own `error` event, and what came behind it, for when nothing is joined. Half an event that the stream
   * broke off in is not in it: the caller stands between two events, where an error of ours can be told.
   */
  heldError(): Uint8Array | null;
}

/** An event that takes more is let through as it comes; it is no text delta. */
const MAX_HELD_BYTES = 1024 * 1024;

export function createAnswerRecorder(): AnswerRecorder {
  const events = createWholeEvents();
  const record = createAnswerRecord();
  let heldError: Uint8Array[] = [];
  let isPipe = false;

  const becomePipe = (): Uint8Array[] => {
    isPipe = true;
    const held = [...heldError, events.rest()];
    heldError = [];
    return held;
  };

  return {
    push(chunk) {
      if (isPipe) return chunk;
      const passing: Uint8Array[] = [];
      for (const { type, data, bytes } of events.push(chunk)) {
        const isHeld = !record.isBanned() && (heldError.length > 0 || type === 'error');
        if (isHeld) heldError.push(copyOf(bytes));
        else passing.push(bytes);
        if (!isHeld) record.note(type, data);
      }
      if (events.restBytes() > MAX_HELD_BYTES) record.ban('too_long');
      if (record.isBanned()) passing.push(...becomePipe());
      return concatenate(passing);
    },
    recoverable: () => record.recoverable(),
    heldError: () => (heldError.length === 0 ? null : concatenate(heldError)),
  };
}
