import { concatenate } from '../../core/bytes.ts';
import type { PartialAnswer } from './answer-record.ts';
import { approachOf, type Approach } from './approach.ts';
import { objectionToField } from './continuable-fields.ts';
import { outlineOf, type BodyOutline } from './body-outline.ts';

/**
 * The request that goes on with a broken answer: the bytes that were sent, and one turn behind their last message. Up to
 * Claude 4.5 the partial answer is prefilled, later models get a user turn that quotes it (docs: streaming, error
 * recovery). Nothing else changes, so that the prefix is read from the cache the first call has written and thinking in
 * the history stays bound to what it was bound to.
 *
 * `max_tokens` stays too: how much of it is used is told by an answer's end only. The joined answer can so be longer than
 * it, by what was lost at most; a guess could cut an answer short that had room.
 *
 * Where a continuation could succeed and be wrong, the answer is `no`. One that upstream refuses does no harm: the caller
 * gets the honest error it would have got anyway.
 */
export type Continuation =
  | {
      readonly kind: 'ask';
      readonly body: Uint8Array;
      /**
       * White space at the end of the text that the caller has and the next call has not been shown: it may write it
       * again (`createStreamSplicer` takes it out).
       */
      readonly untold: string;
    }
  | { readonly kind: 'no'; readonly reason: NotContinuable };

export type NotContinuable = 'model' | 'body' | 'last_message' | 'field' | 'text';

/** @param body as it went upstream; @param model as it names it. */
export function planContinuation(body: Uint8Array, model: string | null, partial: PartialAnswer): Continuation {
  const approach = approachOf(model);
  if (approach === null || approachOf(partial.model) !== approach) return { kind: 'no', reason: 'model' };
  if (!partial.text.isWellFormed()) return { kind: 'no', reason: 'text' }; // broken off inside a character
  const outline = outlineOf(body);
  if (outline === null) return { kind: 'no', reason: 'body' };
  const objection = objectionTo(body, outline, approach, partial.text);
  return objection ? { kind: 'no', reason: objection } : ask(body, outline, approach, partial.text);
}

/**
 * A turn can only follow a user's: a prefill of the caller's own would be rendered in an unknown way next to ours, and
 * a user turn may not follow a system message (docs: mid-conversation system messages). User turns in a row are one turn
 * (docs: Messages API, `messages`).
 */
function objectionTo(body: Uint8Array, outline: BodyOutline, approach: Approach, text: string): NotContinuable | null {
  if (outline.lastRole !== 'user') return 'last_message';
  const request = { body, approach, text };
  return outline.fields.some((field) => objectionToField(field, request)) ? 'field' : null;
}

/** A text without a word in it is not gone on with: the same question is asked again, and its answer joined. */
function ask(body: Uint8Array, { lastMessageEnd }: BodyOutline, approach: Approach, text: string): Continuation {
  const words = text.trimEnd();
  if (words === '') return { kind: 'ask', body, untold: text };
  const isPrefill = approach === 'prefill';
  const turn = isPrefill ? { role: 'assistant', content: words } : { role: 'user', content: request(text) };
  const added = new TextEncoder().encode(`,${JSON.stringify(turn)}`);
  return {
    kind: 'ask',
    body: concatenate([body.subarray(0, lastMessageEnd), added, body.subarray(lastMessageEnd)]),
    untold: isPrefill ? text.slice(words.length) : '', // the API refuses a prefill that ends in white space
  };
}

function request(text: string): string {
  return (
    'The connection broke while you were answering the message above. This is as much of your answer as has arrived, ' +
    `to its last character:\n<partial_answer>${text}</partial_answer>\n` +
    'Write the rest of that answer and nothing else. What you write is put directly behind its last character, so ' +
    'begin there, in the middle of a word if need be, with a space or line break where one is due; do not repeat ' +
    'anything, do not introduce it, and do not mention the interruption.'
  );
}
