import { describe, expect, test } from 'vitest';
import { ask, createSession, type Message, parseEvents, type SseEvent } from './session.ts';

const TOOLS = [
  {
    name: 'get_weather',
    description: 'Weather of a place',
    input_schema: {
      type: 'object',
      properties: {
        place: { type: 'string' },
        unit: { enum: ['C', 'F'] },
        days: { type: 'integer', minimum: 1, maximum: 3 },
      },
      required: ['place', 'unit', 'days'],
    },
  },
];

async function streamed(body: object, headers: Record<string, string> = {}): Promise<SseEvent[]> {
  const response = await createSession().post({ ...ask(), ...body, stream: true }, headers);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  return parseEvents(await response.text());
}

function names(events: SseEvent[]): string[] {
  return events.map((event) => event.name).filter((name, index, all) => name !== all[index - 1]);
}

/** What a client puts together from the events. */
function assembled(events: SseEvent[]) {
  const blocks: Record<string, unknown>[] = [];
  let ending = {};
  for (const { data } of events) {
    if (data.type === 'content_block_start') blocks.push({ ...(data['content_block'] as object), json: '' });
    if (data.type === 'message_delta') ending = { ...(data['delta'] as object), usage: data['usage'] };
    if (data.type !== 'content_block_delta') continue;
    const delta = data['delta'] as Record<string, string>;
    const block = blocks[data['index'] as number] ?? {};
    for (const [from, to] of [
      ['text', 'text'],
      ['thinking', 'thinking'],
      ['signature', 'signature'],
      ['partial_json', 'json'],
    ] as const) {
      if (from in delta) block[to] = String(block[to]) + delta[from];
    }
  }
  const content = blocks.map(({ json, ...block }) =>
    typeof json === 'string' && json !== '' ? { ...block, input: JSON.parse(json) as unknown } : block,
  );
  return { content, ending };
}

describe('the events of a stream (§4.1, §4.2)', () => {
  test('every event names itself twice, in its event line and in its data', async () => {
    for (const event of await streamed({})) expect(event.data.type).toBe(event.name);
  });

  test('the order is message_start, blocks, message_delta, message_stop, with a ping after the first block start', async () => {
    expect(names(await streamed({}))).toEqual([
      'message_start',
      'content_block_start',
      'ping',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  test('message_start has the whole input usage with the TTL split, and no content or stop reason', async () => {
    const [start] = await streamed({});
    expect(start?.data['message']).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [],
      stop_reason: null,
      usage: {
        input_tokens: 2,
        cache_read_input_tokens: 0,
        cache_creation_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        service_tier: 'standard',
      },
    });
  });

  test('message_delta has cumulative usage without the TTL split', async () => {
    const usage = (await streamed({}, { 'x-simulator-output-tokens': '40' })).at(-2)?.data['usage'];
    expect(usage).toMatchObject({ input_tokens: 2, output_tokens: 40, cache_read_input_tokens: 0 });
    expect(usage).not.toHaveProperty('cache_creation');
  });

  test('block indexes ascend and blocks follow one another', async () => {
    const events = await streamed({ tools: TOOLS }, { 'x-simulator-tools': 'parallel:3' });
    let open = -1;
    for (const { data } of events) {
      if (data.type === 'content_block_start') expect(data['index']).toBe(++open);
      if (data.type === 'content_block_delta' || data.type === 'content_block_stop') expect(data['index']).toBe(open);
    }
    expect(open).toBe(3);
  });

  test('thinking ends with its signature; shown thinking comes in deltas before it', async () => {
    const thinking = { type: 'adaptive', display: 'summarized' };
    const events = await streamed({ thinking }, { 'x-simulator-thinking-tokens': '30' });
    const types = events
      .filter(({ data }) => data['index'] === 0 && data['delta'])
      .map(({ data }) => (data['delta'] as { type: string }).type);
    expect(types.at(-1)).toBe('signature_delta');
    expect(types.slice(0, -1).every((type) => type === 'thinking_delta')).toBe(true);
    expect(types.length).toBeGreaterThan(5);
  });

  test('from Opus 4.7 on thinking is omitted unless asked for: only a signature arrives', async () => {
    const events = await streamed({ thinking: { type: 'adaptive' } }, { 'x-simulator-thinking-tokens': '30' });
    const deltas = events.filter(({ data }) => data['index'] === 0 && data['delta']);
    expect(deltas.map(({ data }) => (data['delta'] as { type: string }).type)).toEqual(['signature_delta']);
  });

  test('tool input begins with an empty piece and parses when put together', async () => {
    const events = await streamed({ tools: TOOLS }, { 'x-simulator-tools': 'one' });
    const first = events.find(
      ({ data }) => (data['delta'] as { type?: string } | undefined)?.type === 'input_json_delta',
    );
    expect(first?.data['delta']).toEqual({ type: 'input_json_delta', partial_json: '' });
    const call = assembled(events).content.at(-1) as { input: { place: string; unit: string; days: number } };
    expect(typeof call.input.place).toBe('string');
    expect(['C', 'F']).toContain(call.input.unit);
    expect([1, 2, 3]).toContain(call.input.days);
  });

  test('streamed or whole, it is the same answer', async () => {
    const body = { tools: TOOLS, thinking: { type: 'adaptive', display: 'summarized' }, max_tokens: 500 };
    const headers = { 'x-simulator-tools': 'parallel:2', 'x-simulator-thinking-tokens': '25' };
    const { content, ending } = assembled(await streamed(body, headers));
    const message: Message = await createSession().message(ask(body), headers);
    expect(content).toEqual(message.content);
    expect(ending).toMatchObject({
      stop_reason: message.stop_reason,
      usage: { output_tokens: message.usage.output_tokens },
    });
  });
});

describe('what the model does', () => {
  test('the same question gets the same answer under one seed, with or without cache markers, and another under another seed', async () => {
    const plain = ask({ system: 'Be kind.' });
    const marked = ask({
      system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
      cache_control: { type: 'ephemeral' },
    });
    const [one, two, three] = await Promise.all([
      createSession().message(plain),
      createSession().message(marked),
      createSession({ seed: 2 }).message(plain),
    ]);
    expect(two.content).toEqual(one.content);
    expect(three.content).not.toEqual(one.content);
  });

  test('ids differ from call to call and repeat after a reset', async () => {
    const session = createSession();
    const first = await session.message(ask());
    const second = await session.message(ask());
    expect(first.id).toMatch(/^msg_01\w{22}$/);
    expect(second.id).not.toBe(first.id);
    session.simulator.reset();
    expect((await session.message(ask())).id).toBe(first.id);
  });

  test('a scripted length is what is billed and what the text weighs when it is sent back', async () => {
    const answer = await createSession().message(ask(), { 'x-simulator-output-tokens': '80' });
    expect(answer).toMatchObject({ stop_reason: 'end_turn', usage: { output_tokens: 80 } });
    expect(Math.ceil((answer.content[0]?.text?.length ?? 0) / 2.5)).toBe(80);
  });

  test('an answer longer than max_tokens stops there', async () => {
    const answer = await createSession().message(ask({ max_tokens: 10 }), { 'x-simulator-output-tokens': '80' });
    expect(answer).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 10 } });
  });

  test('a stop sequence ends the text before itself and is named', async () => {
    const whole = (await createSession().message(ask())).content[0]?.text ?? '';
    const stop = whole.slice(12, 18);
    const answer = await createSession().message(ask({ stop_sequences: [stop] }));
    expect(answer).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: stop });
    expect(answer.content[0]?.text).toBe(whole.slice(0, whole.indexOf(stop)));
  });

  test('calls for tools end with tool_use, and results are answered in text', async () => {
    const session = createSession();
    const headers = { 'x-simulator-tools': 'parallel:2' };
    const body = ask({ tools: TOOLS, max_tokens: 1000 });
    const first = await session.message(body, headers);
    expect(first.stop_reason).toBe('tool_use');
    const calls = first.content.filter((block) => block.type === 'tool_use');
    expect(calls).toHaveLength(2);
    const results = calls.map((call) => ({ type: 'tool_result', tool_use_id: call.id, content: 'sunny' }));
    const messages = [
      ...body.messages,
      { role: 'assistant', content: first.content },
      { role: 'user', content: results },
    ];
    expect((await session.message({ ...body, messages }, headers)).stop_reason).toBe('end_turn');
  });

  test('tool_choice none calls nothing, any always calls, and disable_parallel_tool_use calls one', async () => {
    const called = async (tool_choice: object) => {
      const answer = await createSession().message(ask({ tools: TOOLS, tool_choice }), {
        'x-simulator-tools': 'parallel:3',
      });
      return answer.content.filter((block) => block.type === 'tool_use').length;
    };
    expect(await called({ type: 'none' })).toBe(0);
    expect(await called({ type: 'any' })).toBe(3);
    expect(await called({ type: 'auto', disable_parallel_tool_use: true })).toBe(1);
  });

  test('a schema for the answer is answered in JSON that fits it', async () => {
    const schema = { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] };
    const answer = await createSession().message(ask({ output_config: { format: { type: 'json_schema', schema } } }));
    expect(JSON.parse(answer.content[0]?.text ?? '')).toHaveProperty('title');
  });

  test('count_tokens says what a message is then billed for', async () => {
    const session = createSession();
    const body = ask({ tools: TOOLS, system: 'Be kind, and brief.' });
    const { max_tokens: _, ...question } = body;
    const response = await session.get('/v1/messages/count_tokens', { method: 'POST', body: JSON.stringify(question) });
    expect(await response.json()).toEqual({ input_tokens: (await session.message(body)).usage.input_tokens });
  });
});
