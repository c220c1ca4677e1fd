import Anthropic, { APIError, APIUserAbortError, AuthenticationError, RateLimitError } from 'anthropic-sdk-0';
import { describe, expect, test } from 'vitest';
import { within } from '../support/eventually.ts';
import { ACME_KEY, managed, passThrough, UPSTREAM_KEY } from '../support/gateway-under-test.ts';
import { CALLER_KEY, useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';
import { INSTRUCTIONS, MODEL, PLACE_SCHEMA, WEATHER_TOOL } from './prompts.ts';

/** `@anthropic-ai/sdk` 0.x: x-api-key, 2023-06-01, and `?beta=true` on its beta methods. */
const start = useSimulatorStage();

const DEADLINE_MS = 3_000;
const HELLO = { model: MODEL, max_tokens: 400, messages: [{ role: 'user' as const, content: 'Hello' }] };

function client({ baseUrl }: SimulatorStage, { apiKey = ACME_KEY, maxRetries = 0 } = {}): Anthropic {
  return new Anthropic({ baseURL: baseUrl, apiKey, maxRetries, logLevel: 'off' });
}

function faulty(fault: string) {
  return { headers: { 'x-simulator-fault': fault } };
}

describe('answers', () => {
  test('create answers with the upstream’s message, asked for with x-api-key and 2023-06-01', async () => {
    const stage = await start();
    const message = await client(stage).messages.create(HELLO, { headers: { 'x-simulator-output-tokens': '40' } });
    expect(message).toMatchObject({ stop_reason: 'end_turn', usage: { output_tokens: 40 } });
    const { id, headers } = stage.newest();
    expect(message._request_id).toBe(id);
    expect(headers).toMatchObject({ 'anthropic-version': '2023-06-01', 'user-agent': 'Anthropic/JS 0.137.0' });
    expect(JSON.stringify(headers)).not.toContain(ACME_KEY);
    expect(Object.values(headers).filter((value) => value.includes(UPSTREAM_KEY))).toHaveLength(1);
  });

  test('in pass-through mode its x-api-key reaches the upstream as such', async () => {
    const stage = await start({ settings: passThrough() });
    await client(stage, { apiKey: CALLER_KEY }).messages.create(HELLO);
    expect(stage.newest().headers).toMatchObject({ 'x-api-key': CALLER_KEY });
    expect(stage.newest().headers).not.toHaveProperty('authorization');
  });

  test('the stream helper puts together what create would have given', async () => {
    const stage = await start();
    const whole = await client(stage).messages.create(HELLO);
    const streamed = await client(stage).messages.stream(HELLO).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
    expect(await stage.record(1)).toMatchObject({ isStream: true, end: 'complete' });
  });

  test('a marked prefix is written for an hour and then read', async () => {
    const stage = await start({ settings: managed('cache: off') });
    const cache_control = { type: 'ephemeral' as const, ttl: '1h' as const };
    const question = { ...HELLO, system: [{ type: 'text' as const, text: INSTRUCTIONS, cache_control }] };
    const first = await client(stage).messages.stream(question).finalMessage();
    const second = await client(stage).messages.create(question);
    const written = first.usage.cache_creation?.ephemeral_1h_input_tokens ?? 0;
    expect(written).toBeGreaterThan(1024);
    expect(second.usage).toMatchObject({ cache_read_input_tokens: written, cache_creation_input_tokens: 0 });
    expect((await stage.record(0)).usage).toMatchObject({ cacheWrite1h: written });
  });

  test('countTokens and models answer', async () => {
    const stage = await start();
    const { max_tokens: _unused, ...question } = HELLO;
    const { input_tokens } = await client(stage).messages.countTokens(question);
    expect(input_tokens).toBe((await client(stage).messages.create(HELLO)).usage.input_tokens);
    expect((await client(stage).models.list({ limit: 3 })).data).toHaveLength(3);
    expect(await client(stage).models.retrieve(MODEL)).toMatchObject({ id: MODEL });
  });
});

describe('beta methods', () => {
  test('their ?beta=true and their betas arrive, and their fields with them', async () => {
    const stage = await start({ settings: managed('cache: off') });
    const context_management = { edits: [{ type: 'clear_thinking_20251015' as const, keep: 'all' as const }] };
    const betas = ['context-management-2025-06-27', 'interleaved-thinking-2025-05-14'];
    const message = await client(stage).beta.messages.create({ ...HELLO, context_management, betas });
    expect(message.stop_reason).toBe('end_turn');
    const { query, headers, body } = stage.newest();
    expect(query).toBe('?beta=true');
    expect(headers['anthropic-beta']?.split(/, ?/)).toEqual(betas);
    expect(JSON.parse(new TextDecoder().decode(body))).toMatchObject({ context_management });
  });

  test('toolRunner runs its loop to the end', async () => {
    const stage = await start();
    const places: string[] = [];
    const weather = {
      ...WEATHER_TOOL,
      parse: (input: unknown) => input as { place: string },
      run: ({ place }: { place: string }) => {
        places.push(place);
        return 'sunny';
      },
    };
    const options = { headers: { 'x-simulator-tools': 'parallel:2' } };
    const runner = client(stage).beta.messages.toolRunner({ ...HELLO, max_tokens: 2000, tools: [weather] }, options);
    expect(await runner.runUntilDone()).toMatchObject({ stop_reason: 'end_turn' });
    expect(places).toHaveLength(2);
  });

  test('a beta stream gives tool input that fits its schema', async () => {
    const stage = await start();
    const stream = client(stage).beta.messages.stream(
      { ...HELLO, max_tokens: 2000, tools: [WEATHER_TOOL] },
      { headers: { 'x-simulator-tools': 'one' } },
    );
    const call = (await stream.finalMessage()).content.find((block) => block.type === 'tool_use');
    expect(Object.keys(call?.input as object).sort()).toEqual([...PLACE_SCHEMA.required].sort());
  });
});

describe('failures', () => {
  test('a key that is nobody’s is an AuthenticationError and reaches no upstream', async () => {
    const stage = await start();
    await expect(client(stage, { apiKey: 'nobody' }).messages.create(HELLO)).rejects.toBeInstanceOf(
      AuthenticationError,
    );
    expect(stage.seen).toHaveLength(0);
  });

  test('a rate limit has the upstream’s retry-after-ms, and the SDK’s retries reach it', async () => {
    const stage = await start();
    const asked = client(stage, { maxRetries: 1 }).messages.create(HELLO, faulty('429;retry-after-ms=1'));
    const error: unknown = await asked.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RateLimitError);
    expect((error as RateLimitError).headers.get('retry-after-ms')).toBe('1');
    expect(new Set(stage.seen.map(({ headers }) => headers['x-stainless-retry-count']))).toEqual(new Set(['0', '1']));
  });

  test.each([
    { fault: 'error-in-stream;after=3', type: 'overloaded_error' },
    { fault: 'cut;after=3', type: 'api_error' },
    { fault: 'end-early;after=3', type: 'api_error' },
  ])('a stream with $fault throws $type', async ({ fault, type }) => {
    const stage = await start();
    const error: unknown = await client(stage)
      .messages.stream(HELLO, faulty(fault))
      .finalMessage()
      .catch((reason: unknown) => reason);
    if (!(error instanceof APIError)) throw error;
    expect(error.error).toMatchObject({ error: { type } });
  });

  test('an abort in mid-stream ends the upstream’s work', async () => {
    const stage = await start();
    const stream = client(stage).messages.stream(HELLO, faulty('stall;after=3'));
    const done = stream.finalMessage().catch((reason: unknown) => reason);
    await within('the first text arrives', DEADLINE_MS, stream.emitted('text'));
    stream.abort();
    expect(await done).toBeInstanceOf(APIUserAbortError);
    expect(await stage.ended()).toMatchObject({ outcome: 'aborted' });
  });
});
