// The mock's answers, byte for byte. The load imports the same bytes, so that every answer that comes through a proxy is
// compared with what was sent. The usage says "prefix read from the cache": the steady state of a gateway at work.

import { EVENTS_PER_STREAM } from './cells.ts';

const MODEL = 'claude-sonnet-4-5';
const USAGE = {
  input_tokens: 42,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 2048,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: 180,
  service_tier: 'standard',
};
const SENTENCE = 'The gateway reads each byte once and passes it on at once. ';

const MESSAGE = {
  id: 'msg_01BenchBenchBenchBenchBe',
  type: 'message',
  role: 'assistant',
  model: MODEL,
  stop_reason: 'end_turn',
  stop_sequence: null,
};

export const JSON_ANSWER = Buffer.from(
  JSON.stringify({ ...MESSAGE, content: [{ type: 'text', text: SENTENCE.repeat(11) }], usage: USAGE }),
);

export const SSE_EVENTS: readonly Buffer[] = streamEvents();
export const SSE_ANSWER = Buffer.concat(SSE_EVENTS);

/** The part of a held stream's event in front of the 16 digits of its send time. */
export const STAMP_MARK = Buffer.from('"text":"at ');
export const STAMP_DIGITS = 16;

/** The events that open a stream: what `hold` sends before its stamped deltas. */
export const OPENING_EVENTS = Buffer.concat(SSE_EVENTS.slice(0, 2));

/** `sentUs`: the monotonic clock in µs, which all processes of one machine share. */
export function stampedEvent(sentUs: number): Buffer {
  return deltaEvent(`at ${String(sentUs).padStart(STAMP_DIGITS, '0')} `);
}

export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

function streamEvents(): Buffer[] {
  const opening = [
    event('message_start', {
      message: { ...MESSAGE, content: [], stop_reason: null, usage: { ...USAGE, output_tokens: 1 } },
    }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('ping', {}),
  ];
  const closing = [
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 180 },
    }),
    event('message_stop', {}),
  ];
  const deltas = EVENTS_PER_STREAM - opening.length - closing.length;
  return [...opening, ...Array.from({ length: deltas }, () => deltaEvent('one more word ')), ...closing];
}

function deltaEvent(text: string): Buffer {
  return event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
}

function event(type: string, fields: object): Buffer {
  return Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
}
