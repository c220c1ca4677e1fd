/** Answers of the Messages API as a test's upstream gives them: events, whole streams, a JSON message, usage. */

export interface WireUsage {
  readonly input_tokens?: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
  readonly cache_creation?: { readonly ephemeral_5m_input_tokens: number; readonly ephemeral_1h_input_tokens: number };
  readonly output_tokens?: number;
}

export const MODEL = 'claude-sonnet-5';
const USAGE: WireUsage = { input_tokens: 12, output_tokens: 1 };

export function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
}

export function messageStart(usage: WireUsage = USAGE, model = MODEL): string {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], stop_reason: null, usage };
  return event('message_start', { message });
}

export const BLOCK_START = event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
export const BLOCK_STOP = event('content_block_stop', { index: 0 });
export const MESSAGE_STOP = event('message_stop', {});
export const PING = event('ping', {});

export function textDelta(text: string): string {
  return event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
}

export function messageDelta(outputTokens: number): string {
  return event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: outputTokens } });
}

/** Everything up to and including the first text. */
export function streamHead(usage?: WireUsage, model?: string): string {
  return messageStart(usage, model) + BLOCK_START + textDelta('Hello');
}

/** Everything behind it. */
export function streamTail(outputTokens = 7): string {
  return BLOCK_STOP + messageDelta(outputTokens) + MESSAGE_STOP;
}

export function wholeStream(usage?: WireUsage, outputTokens = 7, model?: string): string {
  return streamHead(usage, model) + streamTail(outputTokens);
}

export function message(usage: WireUsage = { input_tokens: 12, output_tokens: 7 }, model = MODEL): object {
  const content = [{ type: 'text', text: 'Hello' }];
  return { id: 'msg_1', type: 'message', role: 'assistant', model, content, stop_reason: 'end_turn', usage };
}

export function apiError(type: string, text = 'as the upstream says it'): object {
  return { type: 'error', error: { type, message: text }, request_id: 'req_upstream' };
}
