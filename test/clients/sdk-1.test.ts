import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, test } from 'vitest';
import { ACME_KEY, managed, passThrough, UPSTREAM_KEY } from '../support/gateway-under-test.ts';
import { CALLER_KEY, CALLER_WORKSPACE, useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';
import { BINDING_MODEL, INSTRUCTIONS, MODEL, WEATHER_TOOL } from './prompts.ts';

/** `@anthropic-ai/sdk` 1.x: Bearer, 2026-10-21, no `?beta=true`. Only the base URL and the key are ours. */
const start = useSimulatorStage();

function client({ baseUrl }: SimulatorStage, apiKey = ACME_KEY): Anthropic {
  return new Anthropic({ baseURL: baseUrl, apiKey, logLevel: 'off' });
}

const HELLO = { model: MODEL, max_tokens: 400, messages: [{ role: 'user' as const, content: 'Grüße aus Zürich 🌧' }] };

function textOf({ content }: Anthropic.Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

describe('messages', () => {
  test('create answers with the upstream’s message and its request-id', async () => {
    const stage = await start();
    const message = await client(stage).messages.create(HELLO, { headers: { 'x-simulator-output-tokens': '40' } });
    expect(message).toMatchObject({ role: 'assistant', stop_reason: 'end_turn', usage: { output_tokens: 40 } });
    expect(message._request_id).toBe(stage.newest().id);
    expect(await stage.record(0)).toMatchObject({ tenant: 'acme', isStream: false, usage: { output: 40 } });
  });

  test('the SDK’s Bearer key is replaced by the upstream’s, and its version and headers arrive', async () => {
    const stage = await start();
    await client(stage).messages.create(HELLO);
    const { headers, query } = stage.newest();
    expect(query).toBe('');
    expect(JSON.stringify(headers)).not.toContain(ACME_KEY);
    expect(Object.values(headers).filter((value) => value.includes(UPSTREAM_KEY))).toHaveLength(1);
    expect(headers).toMatchObject({ 'anthropic-version': '2026-10-21', 'user-agent': 'Anthropic/JS 1.12.0' });
    expect(headers['x-stainless-retry-count']).toBe('0');
  });

  test('in pass-through mode the caller’s own key reaches the upstream', async () => {
    const stage = await start({ settings: passThrough() });
    const { response } = await client(stage, CALLER_KEY).messages.create(HELLO).withResponse();
    expect(stage.newest().headers['authorization']).toBe(`Bearer ${CALLER_KEY}`);
    expect(response.headers.get('anthropic-workspace-id')).toBe(CALLER_WORKSPACE);
  });

  test('the stream helper puts together what create would have given', async () => {
    const stage = await start();
    const whole = await client(stage).messages.create(HELLO);
    const stream = client(stage).messages.stream(HELLO);
    const streamed = await stream.finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
    expect(streamed.usage.input_tokens).toBe(whole.usage.input_tokens);
    expect(stream.request_id).toBe(stage.newest().id);
    expect(await stage.record(1)).toMatchObject({ isStream: true, end: 'complete' });
  });

  test('a stream that is iterated gives the API’s events in their order', async () => {
    const stage = await start();
    const names: string[] = [];
    for await (const event of await client(stage).messages.create({ ...HELLO, stream: true })) {
      if (event.type !== names.at(-1)) names.push(event.type);
    }
    expect(names).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  test('thinking arrives with its signature', async () => {
    const stage = await start();
    const stream = client(stage).messages.stream(
      { ...HELLO, model: BINDING_MODEL, thinking: { type: 'adaptive', display: 'summarized' } },
      { headers: { 'x-simulator-thinking-tokens': '30' } },
    );
    let shown = '';
    stream.on('thinking', (delta) => (shown += delta));
    const [thought] = (await stream.finalMessage()).content;
    if (thought?.type !== 'thinking') throw new Error(`the first block is ${thought?.type}`);
    expect(thought.thinking).toBe(shown);
    expect(thought.signature.length).toBeGreaterThan(10);
  });

  test('a marked prefix is written once and then read, and the figures are those that were billed', async () => {
    const stage = await start({ settings: managed('cache: off') });
    const system = [{ type: 'text' as const, text: INSTRUCTIONS, cache_control: { type: 'ephemeral' as const } }];
    const first = await client(stage).messages.create({ ...HELLO, system });
    const second = await client(stage)
      .messages.stream({ ...HELLO, system })
      .finalMessage();
    const written = first.usage.cache_creation_input_tokens ?? 0;
    expect(written).toBeGreaterThan(1024);
    expect(first.usage).toMatchObject({
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: written },
    });
    expect(second.usage).toMatchObject({ cache_read_input_tokens: written, cache_creation_input_tokens: 0 });
    expect((await stage.record(0)).usage).toMatchObject({ cacheRead: 0, cacheWrite5m: written });
    expect((await stage.record(1)).usage).toMatchObject({ cacheRead: written, cacheWrite5m: 0 });
  });
});

describe('tools', () => {
  /** What an agent does: ask, run the calls, send results, until the model has nothing more to call. */
  async function loop(anthropic: Anthropic, model: string, toolCalls: string): Promise<Anthropic.Message[]> {
    const messages: Anthropic.MessageParam[] = [...HELLO.messages];
    const answers: Anthropic.Message[] = [];
    const headers = { 'x-simulator-tools': toolCalls, 'x-simulator-thinking-tokens': '12' };
    for (let turn = 0; turn < 5; turn++) {
      const params = {
        model,
        max_tokens: 2000,
        thinking: { type: 'adaptive' as const },
        tools: [WEATHER_TOOL],
        messages,
      };
      const answer = await anthropic.messages.stream(params, { headers }).finalMessage();
      answers.push(answer);
      if (answer.stop_reason !== 'tool_use') break;
      messages.push({ role: 'assistant', content: answer.content }, { role: 'user', content: resultsFor(answer) });
    }
    return answers;
  }

  function resultsFor({ content }: Anthropic.Message): Anthropic.ToolResultBlockParam[] {
    return content
      .filter((block) => block.type === 'tool_use')
      .map(({ id, input }) => ({ type: 'tool_result', tool_use_id: id, content: `sunny: ${JSON.stringify(input)}` }));
  }

  test('a loop with thinking bound to its prefix comes to its end', async () => {
    const stage = await start();
    const answers = await loop(client(stage), BINDING_MODEL, 'one');
    expect(answers.map((answer) => answer.stop_reason)).toEqual(['tool_use', 'end_turn']);
    expect(answers[0]?.content[0]).toMatchObject({ type: 'thinking' });
    expect(textOf(answers[1] as Anthropic.Message)).not.toBe('');
  });

  test('three calls at once arrive with three inputs that parse, and their results are taken', async () => {
    const stage = await start();
    const answers = await loop(client(stage), MODEL, 'parallel:3');
    const calls = answers[0]?.content.filter((block) => block.type === 'tool_use') ?? [];
    expect(calls).toHaveLength(3);
    for (const { input } of calls) expect(input).toMatchObject({ place: expect.any(String), days: expect.any(Number) });
    expect(answers.at(-1)?.stop_reason).toBe('end_turn');
  });

  test.each([{ stream: false }, { stream: true }])(
    'toolRunner falls back from message threads to the whole conversation, with stream $stream',
    async ({ stream }) => {
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
      const runner = client(stage).beta.messages.toolRunner(
        { ...HELLO, tools: [weather], stream },
        { headers: { 'x-simulator-tools': 'one' } },
      );
      expect(await runner.runUntilDone()).toMatchObject({ stop_reason: 'end_turn' });
      expect(places).toHaveLength(1);
      expect(stage.seen.map(({ status }) => status)).toEqual([400, 200, 200]);
    },
  );
});

describe('the other endpoints', () => {
  test('countTokens says what create is then billed for', async () => {
    const stage = await start();
    const { max_tokens: _unused, ...question } = HELLO;
    const { input_tokens } = await client(stage).messages.countTokens({ ...question, system: INSTRUCTIONS });
    const message = await client(stage).messages.create({ ...HELLO, system: INSTRUCTIONS });
    const { usage } = message;
    const billed = usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
    expect(billed).toBe(input_tokens);
  });

  test('models.list pages through all models, and each can be retrieved', async () => {
    const stage = await start();
    const ids: string[] = [];
    for await (const model of client(stage).models.list({ limit: 7 })) ids.push(model.id);
    expect(ids).toContain(MODEL);
    expect(new Set(ids).size).toBe(ids.length);
    expect(stage.seen.length).toBeGreaterThan(2);
    expect(await client(stage).models.retrieve(MODEL)).toMatchObject({ id: MODEL, type: 'model' });
  });
});
