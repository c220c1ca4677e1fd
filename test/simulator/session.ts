import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import type { SimulatorOptions } from '../../src/simulator/settings.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

/** A simulator on a fake clock and the few moves every test makes. */
export interface Session {
  readonly simulator: Simulator;
  readonly clock: FakeClock;
  post(body: object, headers?: Record<string, string>, init?: RequestInit): Promise<Response>;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** The answered message; fails on anything but 200. */
  message(body: object, headers?: Record<string, string>): Promise<Message>;
  /** The message of the error; fails on a 200. */
  refusal(body: object, headers?: Record<string, string>): Promise<{ status: number; type: string; message: string }>;
}

interface Usage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number };
  output_tokens: number;
  output_tokens_details: { thinking_tokens: number };
}

interface Block {
  type: string;
  text?: string;
  thinking?: string;
  signature?: string;
  id?: string;
  name?: string;
  input?: unknown;
}

export interface Message {
  id: string;
  model: string;
  content: Block[];
  stop_reason: string;
  stop_sequence: string | null;
  usage: Usage;
  input_transformations?: unknown[];
}

export const BASE = 'http://simulator.test';
export const HEADERS = { 'x-api-key': 'key-a', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' };
export const OPUS = 'claude-opus-4-8';

export function createSession(options: Partial<SimulatorOptions> = {}): Session {
  const clock = createFakeClock();
  const simulator = createSimulator({ clock, ...options });
  const post: Session['post'] = (body, headers = {}, init = {}) => {
    const all = { ...HEADERS, ...headers };
    const request = new Request(`${BASE}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: all,
      ...init,
    });
    return simulator.fetch(request);
  };
  return {
    simulator,
    clock,
    post,
    get: (path, init = {}) => simulator.fetch(new Request(`${BASE}${path}`, { headers: HEADERS, ...init })),
    async message(body, headers) {
      const response = await post(body, headers);
      const json: unknown = await response.json();
      if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(json)}`);
      return json as Message;
    },
    async refusal(body, headers) {
      const response = await post(body, headers);
      const { error } = (await response.json()) as { error?: { type: string; message: string } };
      if (!error) throw new Error(`answered ${response.status}`);
      return { status: response.status, type: error.type, message: error.message };
    },
  };
}

/** A text of `tokens` tokens (an even number) for models of the newer vocabulary, different for different names. */
export function longText(name: string, tokens = 2000): string {
  return `${name} `.repeat(Math.ceil((tokens * 2.5) / (name.length + 1))).slice(0, tokens * 2.5);
}

export function marked(text: string, ttl?: '5m' | '1h') {
  return { type: 'text', text, cache_control: { type: 'ephemeral', ...(ttl ? { ttl } : {}) } };
}

export function ask(rest: object = {}) {
  return { model: OPUS, max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }], ...rest };
}

export interface SseEvent {
  name: string;
  data: Record<string, unknown> & { type: string };
}

export function parseEvents(text: string): SseEvent[] {
  return text
    .split(/\r?\n\r?\n/)
    .filter((frame) => frame !== '')
    .map((frame) => {
      const lines = frame.split(/\r?\n/);
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
      return { name: field('event'), data: JSON.parse(field('data')) as SseEvent['data'] };
    });
}

/** Reads a body as far as it goes, and how it ended. */
export async function drain(response: Response): Promise<{ text: string; end: 'closed' | 'broken' }> {
  const decoder = new TextDecoder();
  let text = '';
  const reader = response.body?.getReader();
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
      text += decoder.decode(next.value);
    return { text, end: 'closed' };
  } catch {
    return { text, end: 'broken' };
  }
}
