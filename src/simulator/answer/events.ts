import type { Model } from '../model/models.ts';
import { closingUsage, type Envelope, openingMessage } from './message.ts';
import type { Answer, AnswerBlock } from './plan-answer.ts';
import { pieces } from './prose.ts';

/**
 * An answer as the events of a stream, in their order (docs: streaming): message_start, then for each block start, deltas and
 * stop, then message_delta and message_stop. `tokens` is how many output tokens have been produced when the event leaves.
 */
export interface StreamEvent {
  readonly name: string;
  readonly data: object;
  readonly tokens: number;
  /** Content events are those a gateway can't take back: block starts, deltas and stops. */
  readonly isContent: boolean;
}

export function eventsOf(envelope: Envelope, answer: Answer, model: Model, seed: number): StreamEvent[] {
  const events: StreamEvent[] = [event('message_start', { message: openingMessage(envelope) }, 0)];
  let tokens = 0;
  for (const [index, block] of answer.blocks.entries()) {
    events.push(event('content_block_start', { index, content_block: emptyBlock(block) }, tokens));
    if (index === 0) events.push(event('ping', {}, tokens));
    for (const { delta, grows } of deltasOf(block, model, `${envelope.id}/${index}`, seed)) {
      tokens += grows;
      events.push(event('content_block_delta', { index, delta }, tokens));
    }
    events.push(event('content_block_stop', { index }, tokens));
  }
  const ending = {
    stop_reason: answer.stopReason,
    stop_sequence: answer.stopSequence,
    stop_details: null,
    container: null,
  };
  events.push(event('message_delta', { delta: ending, usage: closingUsage(envelope, answer) }, answer.outputTokens));
  events.push(event('message_stop', {}, answer.outputTokens));
  return events;
}

export function event(name: string, fields: object, tokens: number): StreamEvent {
  return { name, data: { type: name, ...fields }, tokens, isContent: name.startsWith('content_block_') };
}

function emptyBlock(block: AnswerBlock): object {
  switch (block.kind) {
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: {} };
    default:
      return { type: 'text', text: '' };
  }
}

interface Delta {
  readonly delta: object;
  /** Tokens produced since the delta before. */
  readonly grows: number;
}

function deltasOf(block: AnswerBlock, model: Model, topic: string, seed: number): Delta[] {
  switch (block.kind) {
    case 'thinking':
      return thinkingDeltas(block, model, topic, seed);
    case 'tool_use':
      return toolDeltas(block, model, topic, seed);
    default:
      return spread(block.text, block.tokens, model, topic, seed).map(({ text, grows }) => ({
        delta: { type: 'text_delta', text },
        grows,
      }));
  }
}

/** The signature comes last; when thinking isn't shown it is all there is, after the time the thinking took. */
function thinkingDeltas(block: AnswerBlock & { kind: 'thinking' }, model: Model, topic: string, seed: number): Delta[] {
  const shown = spread(block.thinking, block.tokens, model, topic, seed);
  const deltas = shown.map(({ text, grows }) => ({ delta: { type: 'thinking_delta', thinking: text }, grows }));
  const signature = { type: 'signature_delta', signature: block.signature };
  return [...deltas, { delta: signature, grows: deltas.length === 0 ? block.tokens : 0 }];
}

/** First an empty piece, as the API sends it, then the input's JSON in bursts. */
function toolDeltas(block: AnswerBlock & { kind: 'tool_use' }, model: Model, topic: string, seed: number): Delta[] {
  const parts = spread(JSON.stringify(block.input), block.tokens, model, topic, seed);
  const deltas = parts.map(({ text, grows }) => ({ delta: { type: 'input_json_delta', partial_json: text }, grows }));
  return [{ delta: { type: 'input_json_delta', partial_json: '' }, grows: 0 }, ...deltas];
}

/** Pieces whose tokens sum to the block's: what the cutting leaves over goes to the last one. */
function spread(text: string, tokens: number, model: Model, topic: string, seed: number) {
  const cut = pieces(text, model, topic, seed);
  let left = tokens;
  return cut.map((piece, index) => {
    const grows = index === cut.length - 1 ? left : Math.min(left, piece.tokens);
    left -= grows;
    return { text: piece.text, grows };
  });
}
