import { concatenate, copyOf } from '../../core/bytes.ts';
import { createAnswerRecord, READ_EVENTS, type PartialAnswer, type Recoverability } from './answer-record.ts';
import { createStreamJoin } from './stream-join.ts';
import { createWholeEvents, type WholeEvent } from './whole-events.ts';

/**
 * Turns the stream of a second call into the rest of the first one's: no second `message_start`, its first text goes on
 * in the block that is open, later blocks are counted on, usage is the sum of both. The bytes of an event stay what they
 * are but for the one value that must differ.
 *
 * The second call's thinking is left out: its signature is bound to a prompt that has our turn in it, so an answer with
 * it, sent back in the caller's next turn, would be refused (docs: what's new in Fable 5.1).
 * What cannot be joined is not bent until it fits: the splicer says `impossible` and gives nothing more.
 */
export interface StreamSplicer {
  /** What may be sent now: whole events; may be empty. */
  push(chunk: Uint8Array): Uint8Array;
  /** `error`: the upstream's event is in `heldError`, another continuation may be joined instead. */
  readonly ending: 'open' | 'complete' | 'error' | 'impossible';
  heldError(): Uint8Array | null;
  /** Of the answer as joined so far. */
  recoverable(): Recoverability;
}

/** An event that takes more is not one that can be joined. */
const MAX_HELD_BYTES = 1024 * 1024;

/** @param untold white space the caller has that the second call may write once more (`planContinuation`). */
export function createStreamSplicer(first: PartialAnswer, untold: string): StreamSplicer {
  const events = createWholeEvents();
  const record = createAnswerRecord(first);
  const join = createStreamJoin(first, untold);
  let heldError: Uint8Array | null = null;

  const pass = ({ type, data, bytes }: WholeEvent): readonly Uint8Array[] => {
    if (type === 'error') {
      splicer.ending = 'error';
      heldError = copyOf(bytes);
      return [];
    }
    if (!READ_EVENTS.has(type)) return [bytes];
    const joined = data && join.next({ type, data, bytes });
    if (!joined) {
      splicer.ending = 'impossible';
      return [];
    }
    record.noteUsage(join.usage());
    for (const event of joined) record.note(event.type, event.data);
    if (type === 'message_stop') splicer.ending = 'complete';
    return joined.map((event) => event.bytes);
  };

  const splicer: StreamSplicer & { ending: StreamSplicer['ending'] } = {
    ending: 'open',
    push(chunk) {
      const passing: Uint8Array[] = [];
      for (const event of splicer.ending === 'open' ? events.push(chunk) : []) {
        if (splicer.ending === 'open') passing.push(...pass(event));
      }
      if (splicer.ending === 'open' && events.restBytes() > MAX_HELD_BYTES) splicer.ending = 'impossible';
      return concatenate(passing);
    },
    heldError: () => heldError,
    recoverable: () => record.recoverable(),
  };
  return splicer;
}
