import { createAnthropic } from '@ai-sdk/anthropic';
import { APICallError, generateText, isStepCount, jsonSchema, streamText, tool, type ModelMessage } from 'ai';
import { describe, expect, test } from 'vitest';
import { within } from '../support/eventually.ts';
import { ACME_KEY, managed } from '../support/gateway-under-test.ts';
import { useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';
import { INSTRUCTIONS, MODEL, PLACE_SCHEMA } from './prompts.ts';

/** The Vercel AI SDK: base URL with `/v1`, x-api-key, max_tokens of 128,000, markers where providerOptions say so. */
const start = useSimulatorStage();

const DEADLINE_MS = 3_000;

function model({ baseUrl }: SimulatorStage, apiKey = ACME_KEY) {
  return createAnthropic({ baseURL: `${baseUrl}/v1`, apiKey })(MODEL);
}

/** A system prompt that is marked for the cache. */
const instructions = {
  role: 'system' as const,
  content: INSTRUCTIONS,
  providerOptions: { anthropic: { cacheControl: { type: 'ephemeral', ttl: '1h' } } },
};

function weatherTool(places: string[]) {
  return tool({
    description: 'The weather of a place for some days.',
    inputSchema: jsonSchema<{ place: string }>({ ...PLACE_SCHEMA, required: [...PLACE_SCHEMA.required] }),
    execute: ({ place }) => {
      places.push(place);
      return 'sunny';
    },
  });
}

describe('generateText', () => {
  test('answers, and says how many tokens were written to the cache and read from it', async () => {
    const stage = await start({ settings: managed('cache: off') });
    const question = { model: model(stage), instructions, prompt: 'Rain in Bern?' };
    const first = await generateText(question);
    const second = await generateText(question);
    const written = first.usage.inputTokenDetails.cacheWriteTokens ?? 0;
    expect(first.text).not.toBe('');
    expect(written).toBeGreaterThan(1024);
    expect(second.usage.inputTokenDetails).toMatchObject({ cacheReadTokens: written, cacheWriteTokens: 0 });
    expect((await stage.record(0)).usage).toMatchObject({ cacheWrite1h: written });
    expect((await stage.record(1)).usage).toMatchObject({ cacheRead: written });
  });

  test('its own retries ride out an overload', async () => {
    const stage = await start();
    stage.simulator.script('529;retry-after-ms=1');
    expect((await generateText({ model: model(stage), prompt: 'Hello' })).finishReason).toBe('stop');
    expect(stage.seen.map(({ status }) => status)).toEqual([529, 200]);
  });

  test('a key that is nobody’s is an APICallError of 401', async () => {
    const stage = await start();
    const error: unknown = await generateText({ model: model(stage, 'nobody'), prompt: 'Hello' }).catch(
      (reason: unknown) => reason,
    );
    if (!APICallError.isInstance(error)) throw error;
    expect(error).toMatchObject({ statusCode: 401, isRetryable: false });
    expect(stage.seen).toHaveLength(0);
  });
});

describe('streamText', () => {
  test('streams the text that generateText gives whole, with the same usage', async () => {
    const stage = await start({ settings: managed('cache: off') });
    const question = { model: model(stage), instructions, prompt: 'Rain in Bern?' };
    const whole = await generateText(question);
    const streamed = streamText(question);
    let text = '';
    for await (const piece of streamed.textStream) text += piece;
    expect(text).toBe(whole.text);
    const usage = await streamed.usage;
    expect(usage.outputTokens).toBe(whole.usage.outputTokens);
    expect(usage.inputTokens).toBe(whole.usage.inputTokens);
    expect(usage.inputTokenDetails.cacheReadTokens).toBe(whole.usage.inputTokenDetails.cacheWriteTokens);
    expect(await stage.record(1)).toMatchObject({ isStream: true, end: 'complete' });
  });

  test('a loop of two calls and their results comes to its end, reading the marked prompt at the second step', async () => {
    const stage = await start({ settings: managed('cache: off') });
    const places: string[] = [];
    const messages: ModelMessage[] = [{ role: 'user', content: 'The weather of two places, please.' }];
    const result = streamText({
      model: model(stage),
      instructions,
      messages,
      tools: { get_weather: weatherTool(places) },
      stopWhen: isStepCount(4),
      headers: { 'x-simulator-tools': 'parallel:2' },
    });
    await result.consumeStream();
    const steps = await result.steps;
    expect(steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
    expect(places).toHaveLength(2);
    expect(steps[1]?.usage.inputTokenDetails.cacheReadTokens).toBe(steps[0]?.usage.inputTokenDetails.cacheWriteTokens);
    expect(stage.newest().headers['anthropic-beta']).toContain('structured-outputs-');
  });

  test('an error event in mid-stream is told as an error, behind the text that came before', async () => {
    const stage = await start();
    const headers = { 'x-simulator-fault': 'error-in-stream;after=4' };
    const parts: string[] = [];
    const result = streamText({ model: model(stage), prompt: 'Hello', headers, onError: () => undefined });
    for await (const { type } of result.stream) parts.push(type);
    expect(parts.filter((type) => type === 'text-delta')).toHaveLength(3);
    expect(parts).toContain('error');
  });

  test('an abort in mid-stream ends the upstream’s work', async () => {
    const stage = await start();
    const leaving = new AbortController();
    const headers = { 'x-simulator-fault': 'stall;after=3' };
    const result = streamText({ model: model(stage), prompt: 'Hello', headers, abortSignal: leaving.signal });
    const read = (async () => {
      for await (const { type } of result.stream) if (type === 'text-delta') leaving.abort();
    })();
    await within('the stream of the AI SDK ends', DEADLINE_MS, read);
    expect(await stage.ended()).toMatchObject({ outcome: 'aborted' });
  });
});
