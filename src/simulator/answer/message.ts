import type { CacheUsage } from '../cache/cache-types.ts';
import type { ThinkingDropped } from '../prompt/bound-thinking.ts';
import type { Answer, AnswerBlock } from './plan-answer.ts';

/** The Message object, whole or as a stream's first event shows it (docs: messages; streaming). */
export interface Envelope {
  readonly id: string;
  readonly modelId: string;
  readonly input: CacheUsage;
  readonly speed: 'standard' | 'fast';
  readonly dropped: readonly ThinkingDropped[];
}

export function wholeMessage(envelope: Envelope, answer: Answer) {
  return {
    ...head(envelope),
    content: answer.blocks.map(contentBlock),
    stop_reason: answer.stopReason,
    stop_sequence: answer.stopSequence,
    stop_details: null,
    container: null,
    usage: usage(envelope, answer.outputTokens, answer.thinkingTokens),
    ...transformations(envelope),
  };
}

/** What `message_start` carries: everything about the input, and one token of output that is yet to come. */
export function openingMessage(envelope: Envelope) {
  return {
    ...head(envelope),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    usage: usage(envelope, 1, 0),
    ...transformations(envelope),
  };
}

/** Cumulative, without the TTL split (docs: streaming, `message_delta`). */
export function closingUsage(envelope: Envelope, answer: Answer) {
  const { input } = envelope;
  return {
    input_tokens: input.uncachedTokens,
    cache_creation_input_tokens: input.write5mTokens + input.write1hTokens,
    cache_read_input_tokens: input.readTokens,
    output_tokens: answer.outputTokens,
    output_tokens_details: { thinking_tokens: answer.thinkingTokens },
    server_tool_use: null,
  };
}

function head({ id, modelId }: Envelope) {
  return { id, type: 'message', role: 'assistant', model: modelId };
}

function usage({ input, speed }: Envelope, outputTokens: number, thinkingTokens: number) {
  return {
    input_tokens: input.uncachedTokens,
    cache_creation_input_tokens: input.write5mTokens + input.write1hTokens,
    cache_read_input_tokens: input.readTokens,
    cache_creation: { ephemeral_5m_input_tokens: input.write5mTokens, ephemeral_1h_input_tokens: input.write1hTokens },
    output_tokens: outputTokens,
    output_tokens_details: { thinking_tokens: thinkingTokens },
    server_tool_use: null,
    service_tier: 'standard',
    inference_geo: 'global',
    speed,
  };
}

function contentBlock(block: AnswerBlock) {
  switch (block.kind) {
    case 'thinking':
      return { type: 'thinking', thinking: block.thinking, signature: block.signature };
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: block.input };
    default:
      return { type: 'text', text: block.text };
  }
}

function transformations({ dropped }: Envelope) {
  return dropped.length === 0 ? {} : { input_transformations: dropped };
}
