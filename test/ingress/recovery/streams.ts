import { readFileSync } from 'node:fs';
import { concatenate } from '../../../src/core/bytes.ts';
import type { PartialAnswer } from '../../../src/ingress/recovery/answer-record.ts';
import { createAnswerRecorder, type AnswerRecorder } from '../../../src/ingress/recovery/answer-recorder.ts';
import { createStreamSplicer, type StreamSplicer } from '../../../src/ingress/recovery/stream-splicer.ts';

/** Streams as an upstream writes them, and the reading of them in pieces. */

export const FIXTURES = [
  'error-inside',
  'no-cache-fields',
  'refusal',
  'server-tool-loop',
  'text',
  'thinking',
  'tool-use',
] as const;

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../fixtures/${name}.sse`, import.meta.url)));
}

export type Part =
  | { readonly kind: 'text'; readonly deltas: readonly string[] }
  | { readonly kind: 'thinking' | 'tool_use' | 'ping' | 'unknown' };

export const text = (...deltas: string[]): Part => ({ kind: 'text', deltas });
export const THINKING: Part = { kind: 'thinking' };
export const TOOL_USE: Part = { kind: 'tool_use' };
export const PING: Part = { kind: 'ping' };

const SECOND_USAGE = {
  input_tokens: 7,
  cache_creation_input_tokens: 2,
  cache_read_input_tokens: 900,
  cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 0 },
  output_tokens: 1,
  service_tier: 'standard',
};

interface Told {
  /** Of message_start. */
  readonly startUsage?: object;
  /** Of message_delta. */
  readonly usage?: object;
  readonly stopReason?: string;
}

/** A whole stream of a second call, from message_start to message_stop. */
export function stream(
  parts: readonly Part[],
  { startUsage = SECOND_USAGE, usage = { output_tokens: 30 }, stopReason = 'end_turn' }: Told = {},
): Uint8Array {
  const message = { id: 'msg_second', type: 'message', role: 'assistant', model: 'claude-opus-5', content: [] };
  let index = 0;
  const body = parts.map((part) =>
    part.kind === 'ping' || part.kind === 'unknown' ? aside(part) : block(part, index++),
  );
  return new TextEncoder().encode(
    frame('message_start', { message: { ...message, stop_reason: null, usage: startUsage } }) +
      body.join('') +
      frame('message_delta', { delta: { stop_reason: stopReason }, usage }) +
      frame('message_stop', {}),
  );
}

export function frame(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function aside({ kind }: Part): string {
  return frame(kind === 'ping' ? 'ping' : 'weather_report', {});
}

function block(part: Part, index: number): string {
  const start = (content_block: object) => frame('content_block_start', { index, content_block });
  const delta = (fields: object) => frame('content_block_delta', { index, delta: fields });
  const stop = frame('content_block_stop', { index });
  if (part.kind === 'text') {
    const deltas = part.deltas.map((piece) => delta({ type: 'text_delta', text: piece }));
    return start({ type: 'text', text: '' }) + deltas.join('') + stop;
  }
  if (part.kind === 'thinking') {
    const signed = delta({ type: 'signature_delta', signature: 'Eq==' });
    return start({ type: 'thinking', thinking: '', signature: '' }) + delta({ type: 'thinking_delta', thinking: 'hm' }) + signed + stop; // prettier-ignore
  }
  const input = delta({ type: 'input_json_delta', partial_json: '{"a":1}' });
  return start({ type: 'tool_use', id: 'toolu_2', name: 'get_weather', input: {} }) + input + stop;
}

export function record(pieces: readonly Uint8Array[]): { recorder: AnswerRecorder; sent: Uint8Array } {
  const recorder = createAnswerRecorder();
  return { recorder, sent: concatenate(pieces.map((piece) => recorder.push(piece))) };
}

/** Fails where the answer is not recoverable. */
export function partialOf(source: Pick<AnswerRecorder, 'recoverable'>): PartialAnswer {
  const found = source.recoverable();
  if (found.kind === 'no') throw new Error(`not recoverable: ${found.reason}`);
  return found.partial;
}

export function join(
  first: PartialAnswer,
  pieces: readonly Uint8Array[],
  untold = '',
): { splicer: StreamSplicer; sent: Uint8Array } {
  const splicer = createStreamSplicer(first, untold);
  return { splicer, sent: concatenate(pieces.map((piece) => splicer.push(piece))) };
}
