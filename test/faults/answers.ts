import {
  BLOCK_START,
  BLOCK_STOP,
  event,
  MESSAGE_STOP,
  messageDelta,
  messageStart,
  textDelta,
} from '../support/claude-answers.ts';
import { onRequest, type Plan, type RawAttempt } from './raw-upstream.ts';

/** Answers as bytes on the wire, to be broken anywhere. Planted words are in all of them. */

export const PROMPT_WORD = 'planted-prompt-7f3a';
export const ANSWER_WORD = 'planted-answer-91bc';
export const ERROR_WORD = 'planted-error-0d42';

type HeaderLines = Readonly<Record<string, string>>;

export function headOf(status: number | string, headers: HeaderLines): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}${typeof status === 'number' ? ' As It Is' : ''}\r\n${lines.join('')}\r\n`;
}

export function chunk(bytes: string | Uint8Array): Buffer {
  const data = Buffer.from(bytes);
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]);
}

export const LAST_CHUNK = '0\r\n\r\n';

export function withLength(status: number, body: string | Uint8Array, headers: HeaderLines = {}): Buffer {
  const data = Buffer.from(body);
  const all = { 'content-type': 'application/json', 'content-length': String(data.length), ...headers };
  return Buffer.concat([Buffer.from(headOf(status, all)), data]);
}

export const SSE_TYPE = { 'content-type': 'text/event-stream; charset=utf-8' };
export const SSE_HEAD: string = headOf(200, { ...SSE_TYPE, 'transfer-encoding': 'chunked' });
export const JSON_HEAD: string = headOf(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });

/** What the answers say they used. */
export const USAGE = { input: 12, output: 7 } as const;

/** The events of a whole answer, in order. */
export const EVENTS = [
  messageStart({ input_tokens: USAGE.input, output_tokens: 1 }),
  BLOCK_START,
  textDelta(ANSWER_WORD),
  BLOCK_STOP,
  messageDelta(USAGE.output),
  MESSAGE_STOP,
] as const;

/** The first so many of them. */
export function events(count: number): string {
  return EVENTS.slice(0, count).join('');
}

/** The first event that is content: what stands before it can be taken back. */
export const FIRST_CONTENT = 2;
export const WHOLE_STREAM: string = events(EVENTS.length);

export const JSON_ANSWER: string = JSON.stringify({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5',
  content: [{ type: 'text', text: ANSWER_WORD }],
  stop_reason: 'end_turn',
  usage: { input_tokens: USAGE.input, output_tokens: USAGE.output },
});

export function errorEvent(type = 'overloaded_error'): string {
  return event('error', { error: { type, message: ERROR_WORD } });
}

export function apiError(type: string, more: object = {}): string {
  return JSON.stringify({ type: 'error', error: { type, message: ERROR_WORD, ...more }, request_id: 'req_upstream' });
}

/** The beginning of a stream: its head and this text; nothing says yet that it is over. */
export function stream(text: string): Buffer {
  return Buffer.concat([Buffer.from(SSE_HEAD), chunk(text)]);
}

export type End = (attempt: RawAttempt) => void;

export const reset: End = (attempt) => attempt.reset();
export const fin: End = (attempt) => attempt.fin();
/** Nothing more is said, and the connection stays. */
export const stay: End = () => {};
/** The proper end of what is sent in chunks. */
export const over: End = lastly(LAST_CHUNK);

export function lastly(bytes: string | Uint8Array): End {
  return (attempt) => {
    attempt.write(bytes);
    attempt.end();
  };
}

export function sending(bytes: string | Uint8Array, end: End): Plan {
  return onRequest((attempt) => {
    attempt.write(bytes);
    end(attempt);
  });
}

/** The answer in one piece, and the connection kept. */
export function answering(bytes: string | Uint8Array): Plan {
  return onRequest(lastly(bytes));
}

export const FINE_STREAM: Plan = sending(stream(WHOLE_STREAM), over);
export const FINE_JSON: Plan = answering(withLength(200, JSON_ANSWER));
