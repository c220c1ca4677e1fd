import Anthropic from '@anthropic-ai/sdk';
import AnthropicZero from 'anthropic-sdk-0';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { listen, type Listening } from './listen.ts';
import { ask, drain, HEADERS, parseEvents } from './session.ts';

let clock: FakeClock;
let simulator: Simulator;
let server: Listening;
let baseURL: string;

beforeEach(async () => {
  clock = createFakeClock();
  simulator = createSimulator({ clock });
  server = await listen(simulator.fetch);
  baseURL = server.baseUrl;
});

afterEach(() => server.close());

async function until(what: string, holds: () => boolean, withinMs = 5000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`still waiting after ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function post(body: object, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> {
  const all = { ...HEADERS, connection: 'close', ...headers };
  return fetch(`${baseURL}/v1/messages`, { method: 'POST', headers: all, body: JSON.stringify(body), ...init });
}

const QUESTION = { model: 'claude-opus-4-8', max_tokens: 300, messages: [{ role: 'user' as const, content: 'Hello' }] };

describe('the official clients', () => {
  test('SDK 1.x reads a stream to its final message, by bearer token and version 2026-10-21', async () => {
    const client = new Anthropic({ apiKey: 'key-a', baseURL, maxRetries: 0 });
    const message = await client.messages.stream(QUESTION, { headers: { connection: 'close' } }).finalMessage();
    expect(message.usage.output_tokens).toBeGreaterThan(0);
    expect(simulator.observations.list[0]?.headers).toMatchObject({
      authorization: 'Bearer key-a',
      'anthropic-version': '2026-10-21',
    });
  });

  test('SDK 0.x gets a whole answer, a count, and the models', async () => {
    const client = new AnthropicZero({
      apiKey: 'key-a',
      baseURL,
      maxRetries: 0,
      defaultHeaders: { connection: 'close' },
    });
    const message = await client.messages.create(QUESTION);
    expect(message.role).toBe('assistant');
    const { max_tokens: _, ...counted } = QUESTION;
    expect((await client.messages.countTokens(counted)).input_tokens).toBe(message.usage.input_tokens);
    const ids: string[] = [];
    for await (const model of client.models.list({ limit: 5 })) ids.push(model.id);
    expect(ids).toContain('claude-haiku-4-5-20251001');
  });

  test('an error has its class, its type and its request id', async () => {
    const client = new Anthropic({ apiKey: 'key-a', baseURL, maxRetries: 0 });
    const failed = client.messages.create(QUESTION, { headers: { 'x-simulator-fault': '529', connection: 'close' } });
    await expect(failed).rejects.toMatchObject({
      status: 529,
      requestID: simulator.observations.list[0]?.id ?? expect.stringMatching(/^req_/),
    });
  });

  test('the SDK retries a 529 and then succeeds', async () => {
    simulator.script({ fault: '529;retry-after-ms=1', times: 2 });
    const client = new Anthropic({ apiKey: 'key-a', baseURL, defaultHeaders: { connection: 'close' } });
    await client.messages.create(QUESTION);
    expect(simulator.observations.list.map((seen) => seen.status)).toEqual([529, 529, 200]);
  });
});

describe('on real sockets', () => {
  test('a cut connection is a broken body for the caller, after everything that left before', async () => {
    const response = await post(ask({ stream: true }), { 'x-simulator-fault': 'cut;after=3' });
    const { text, end } = await drain(response);
    expect(end).toBe('broken');
    expect(parseEvents(text).filter((event) => event.name.startsWith('content_block_'))).toHaveLength(3);
    expect(simulator.observations.list[0]?.outcome).toBe('faulted');
  });

  test('a caller that hangs up in mid-stream ends the generation', async () => {
    const gone = new AbortController();
    const response = await post(
      ask({ stream: true }),
      { 'x-simulator-fault': 'stall;after=3' },
      { signal: gone.signal },
    );
    await response.body?.getReader().read();
    expect(simulator.observations.openStreams).toBe(1);
    gone.abort();
    await until('the stream to end', () => simulator.observations.openStreams === 0);
    expect(simulator.observations.list[0]?.outcome).toBe('aborted');
  });

  test('a caller that hangs up before the headers ends the wait', async () => {
    const gone = new AbortController();
    const answered = post(ask(), { 'x-simulator-fault': 'stall-headers;ms=60000' }, { signal: gone.signal }).catch(
      () => 'gone',
    );
    await until('the wait to begin', () => clock.pending === 1);
    gone.abort();
    expect(await answered).toBe('gone');
    await until('the timer to be cancelled', () => clock.pending === 0);
    expect(simulator.observations.list[0]?.outcome).toBe('aborted');
  });

  test('a gzipped stream is read by fetch as if it were plain', async () => {
    const response = await post(ask({ stream: true }), { 'x-simulator-fault': 'gzip' });
    expect(await response.text()).toContain('message_stop');
  });
});
