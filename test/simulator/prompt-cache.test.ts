import { beforeEach, describe, expect, test } from 'vitest';
import { ask, createSession, longText, marked, OPUS, type Session } from './session.ts';

let session: Session;
beforeEach(() => {
  session = createSession();
});

const SYSTEM = [marked(longText('system'))];
const TOOL = { name: 'look', description: longText('tool', 1500), input_schema: { type: 'object', properties: {} } };
const MARK = { cache_control: { type: 'ephemeral' } };
const NO_CALLS = { 'x-simulator-tools': 'none' };

async function read(body: object, headers: Record<string, string> = {}): Promise<number> {
  return (await session.message(body, { ...NO_CALLS, ...headers })).usage.cache_read_input_tokens;
}

describe('usage (§3.15)', () => {
  test('a first request writes and a second reads what stands before the last breakpoint', async () => {
    const first = (await session.message(ask({ system: SYSTEM }))).usage;
    expect(first).toMatchObject({ input_tokens: 2, cache_read_input_tokens: 0 });
    expect(first.cache_creation_input_tokens).toBeGreaterThan(1990);
    const second = (await session.message(ask({ system: SYSTEM }))).usage;
    expect(second).toMatchObject({
      cache_read_input_tokens: first.cache_creation_input_tokens,
      cache_creation_input_tokens: 0,
    });
  });

  test('the TTL split sums to cache_creation_input_tokens', async () => {
    const body = ask({ system: [marked(longText('head'), '1h'), marked(longText('tail'), '5m')] });
    const { cache_creation, cache_creation_input_tokens } = (await session.message(body)).usage;
    expect(cache_creation.ephemeral_1h_input_tokens).toBe(2000);
    expect(cache_creation.ephemeral_5m_input_tokens + cache_creation.ephemeral_1h_input_tokens).toBe(
      cache_creation_input_tokens,
    );
  });

  test('below the model’s minimum both counters are 0 and nothing is wrong', async () => {
    const short = ask({ system: [marked(longText('short', 1000))] });
    expect((await session.message(short)).usage).toMatchObject({
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
    });
    expect((await session.message({ ...short, model: 'claude-opus-5' })).usage.cache_creation_input_tokens).toBe(1000);
  });
});

describe('markers (§3.1–3.3)', () => {
  const blocks = (count: number, ttl?: '5m' | '1h') =>
    Array.from({ length: count }, (_, i) => marked(`block ${i}`, ttl));

  test('a fifth marker is a 400', async () => {
    const refusal = await session.refusal(ask({ system: blocks(5) }));
    expect(refusal).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(refusal.message).toContain('A maximum of 4 blocks with cache_control may be provided. Found 5.');
  });

  test('a 1h marker after a 5m one is a 400, also across tools, system and messages', async () => {
    const body = ask({ tools: [{ ...TOOL, ...MARK }], system: [marked('text', '1h')] });
    expect((await session.refusal(body)).message).toContain(
      "ttl='1h' cache_control block must not come after a ttl='5m'",
    );
  });

  test('another type or ttl is a 400', async () => {
    const withControl = (cache_control: object) => ask({ system: [{ type: 'text', text: 'x', cache_control }] });
    expect((await session.refusal(withControl({ type: 'persistent' }))).message).toContain(
      "cache_control.type: Input should be 'ephemeral'",
    );
    expect((await session.refusal(withControl({ type: 'ephemeral', ttl: '2h' }))).message).toContain(
      "Input should be '5m' or '1h'",
    );
  });

  test('a marker on a thinking block is a 400', async () => {
    const thinking = { type: 'thinking', thinking: '', signature: 'x', ...MARK };
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [thinking] },
      { role: 'user', content: 'Hi' },
    ];
    expect((await session.refusal(ask({ messages }))).status).toBe(400);
  });

  test('a marker on an empty text is a 400', async () => {
    const refusal = await session.refusal(ask({ messages: [{ role: 'user', content: [marked('')] }] }));
    expect(refusal.message).toContain('cache_control cannot be set for empty text blocks');
  });

  test('a marker nested in a tool result counts among the four and acts as one on the tool result', async () => {
    const conversation = (parts: object[]) =>
      ask({
        messages: [
          { role: 'user', content: 'Go' },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: parts }] },
        ],
        tools: [TOOL],
      });
    const nested = (await session.message(conversation([marked(longText('part'))]))).usage;
    expect(nested.input_tokens).toBe(0);
    expect(nested.cache_creation_input_tokens).toBeGreaterThan(3000);
    expect((await session.refusal(conversation(blocks(5)))).message).toContain('Found 5');
  });
});

describe('the automatic marker (§3.3)', () => {
  const auto = (rest: object = {}) =>
    ask({ system: longText('system'), cache_control: { type: 'ephemeral' }, ...rest });

  test('it stands on the last block of the request', async () => {
    const first = (await session.message(auto())).usage;
    expect(first.input_tokens).toBe(0);
    const longer = [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi' },
      { role: 'user', content: 'More' },
    ];
    expect(await read(auto({ messages: longer }))).toBe(first.cache_creation_input_tokens);
  });

  test('next to a last block marked with the same TTL it does nothing, with another TTL it is a 400', async () => {
    const messages = [{ role: 'user', content: [marked('Hello')] }];
    expect((await session.message(auto({ messages }))).usage.input_tokens).toBe(0);
    const clash = await session.refusal(auto({ messages, cache_control: { type: 'ephemeral', ttl: '1h' } }));
    expect(clash.status).toBe(400);
  });

  test('next to four explicit markers it is a 400', async () => {
    const system = Array.from({ length: 4 }, (_, index) => marked(`block ${index}`));
    expect((await session.refusal(auto({ system }))).message).toContain('Found 5');
  });

  test('a 5m automatic marker after an explicit 1h one is fine, the other way round is a 400', async () => {
    const system = (ttl: '5m' | '1h') => [marked(longText('system'), ttl)];
    const fine = await session.message(auto({ system: system('1h') }));
    expect(fine.usage.cache_creation.ephemeral_5m_input_tokens).toBeGreaterThan(0);
    const wrong = auto({ system: system('5m'), cache_control: { type: 'ephemeral', ttl: '1h' } });
    expect((await session.refusal(wrong)).message).toContain('must not come after');
  });
});

describe('what is the same prompt', () => {
  test('a string and one text block', async () => {
    await session.message(ask({ system: SYSTEM, messages: [{ role: 'user', content: [marked('Hello')] }] }));
    const asString = ask({
      system: SYSTEM,
      messages: [{ role: 'user', content: 'Hello' }],
      cache_control: { type: 'ephemeral' },
    });
    expect((await session.message(asString)).usage).toMatchObject({ input_tokens: 0, cache_creation_input_tokens: 0 });
  });

  test('a prompt with markers elsewhere or of another TTL', async () => {
    await session.message(ask({ system: [marked(longText('system'), '1h')] }));
    expect(await read(ask({ system: SYSTEM }))).toBeGreaterThan(1990);
  });

  test('max_tokens, stop sequences, stream, metadata and service tier change nothing', async () => {
    await session.message(ask({ system: SYSTEM }));
    const other = { max_tokens: 50, stop_sequences: ['x1'], metadata: { user_id: 'u' }, service_tier: 'auto' };
    expect(await read(ask({ system: SYSTEM, ...other }))).toBeGreaterThan(1990);
  });

  test('two user messages in a row and one with both blocks', async () => {
    const split = [
      { role: 'user', content: longText('one') },
      { role: 'user', content: [marked('two')] },
    ];
    const joined = [{ role: 'user', content: [{ type: 'text', text: longText('one') }, marked('two')] }];
    await session.message(ask({ messages: split }));
    expect(await read(ask({ messages: joined }))).toBeGreaterThan(1990);
  });

  test('Claude Code’s attribution block, first and by itself, is not in the prompt', async () => {
    const attributed = (print: string) =>
      ask({ system: [{ type: 'text', text: `x-anthropic-billing-header: cc_version=2.1.330.${print};` }, ...SYSTEM] });
    await session.message(attributed('839'));
    expect(await read(attributed('117'))).toBeGreaterThan(1990);
    expect(await read(ask({ system: SYSTEM }))).toBeGreaterThan(1990);
  });

  test('moved from its place, the attribution block is prompt text', async () => {
    const moved = (print: string) =>
      ask({
        system: [
          { type: 'text', text: 'First' },
          { type: 'text', text: `x-anthropic-billing-header: ${print}` },
          ...SYSTEM,
        ],
      });
    await session.message(moved('1'));
    expect(await read(moved('2'))).toBe(0);
  });
});

describe('what invalidates what (§3.8)', () => {
  const IMAGE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } };
  const base = {
    tools: [{ ...TOOL, ...MARK }],
    system: SYSTEM,
    messages: [{ role: 'user', content: [marked(longText('question'))] }],
  };

  /** How many of the three levels the changed request still reads. */
  async function levelsRead(change: object, headers: Record<string, string> = {}, model = OPUS, from: object = {}) {
    session.simulator.reset();
    const original = ask({ ...base, model, ...from });
    const first = (await session.message(original, NO_CALLS)).usage;
    const total = first.cache_creation_input_tokens;
    const got = await read(ask({ ...base, model, ...from, ...change }), headers);
    return got === 0 ? 0 : got === total ? 3 : got < total / 2 ? 1 : 2;
  }

  test('nothing changed: all three levels are read', async () => {
    expect(await levelsRead({})).toBe(3);
  });

  test('a tool definition makes everything new', async () => {
    expect(await levelsRead({ tools: [{ ...TOOL, description: `${TOOL.description}.`, ...MARK }] })).toBe(0);
  });

  test('the order of tools counts', async () => {
    const other = { name: 'other', description: 'x', input_schema: { type: 'object' } };
    expect(
      await levelsRead({ tools: [{ ...TOOL, ...MARK }, other] }, {}, OPUS, { tools: [other, { ...TOOL, ...MARK }] }),
    ).toBe(0);
  });

  test('system text keeps the tools', async () => {
    expect(await levelsRead({ system: [marked(longText('other'))] })).toBe(1);
  });

  test('web search on or off keeps the tools', async () => {
    const search = { type: 'web_search_20250305', name: 'web_search' };
    expect(await levelsRead({ tools: [...base.tools, search] })).toBe(1);
  });

  test('citations on or off keep the tools', async () => {
    const document = {
      type: 'document',
      source: { type: 'text', media_type: 'text/plain', data: 'x' },
      citations: { enabled: true },
    };
    expect(await levelsRead({ messages: [{ role: 'user', content: [document, marked(longText('question'))] }] })).toBe(
      1,
    );
  });

  test('fast or standard speed keeps the tools', async () => {
    expect(await levelsRead({ speed: 'fast' }, {}, 'claude-opus-5-5')).toBe(1);
    expect(await levelsRead({ speed: 'standard' }, {}, 'claude-opus-5-5')).toBe(3);
  });

  test('a schema for the answer keeps the tools', async () => {
    expect(await levelsRead({ output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } })).toBe(
      1,
    );
  });

  test('tool_choice and disable_parallel_tool_use keep tools and system', async () => {
    expect(await levelsRead({ tool_choice: { type: 'any' } })).toBe(2);
    expect(await levelsRead({ tool_choice: { type: 'auto', disable_parallel_tool_use: true } })).toBe(2);
  });

  test('images appearing anywhere keep tools and system', async () => {
    const messages = [...base.messages, { role: 'assistant', content: 'Yes' }, { role: 'user', content: [IMAGE] }];
    expect(await levelsRead({ messages })).toBe(2);
  });

  test('thinking keeps tools and system up to Claude 4.5 and makes everything new from 4.6 on', async () => {
    const enabled = { type: 'enabled', budget_tokens: 1024 };
    expect(await levelsRead({ thinking: enabled, max_tokens: 2000 }, {}, 'claude-sonnet-4-5')).toBe(2);
    expect(await levelsRead({ thinking: { type: 'adaptive' } }, {}, OPUS)).toBe(0);
  });

  test('effort makes everything new, unless it is the model’s default spelled out', async () => {
    expect(await levelsRead({ output_config: { effort: 'low' } })).toBe(0);
    expect(await levelsRead({ output_config: { effort: 'high' } })).toBe(3);
    expect(await levelsRead({ output_config: { effort: 'medium' } }, {}, 'claude-haiku-5-5')).toBe(3);
  });

  test('the set of betas counts, their order and retired names don’t', async () => {
    const [one, two] = ['context-management-2025-06-27', 'interleaved-thinking-2025-05-14'];
    await session.message(ask(base), { ...NO_CALLS, 'anthropic-beta': `${one},${two}` });
    expect(await read(ask(base), { 'anthropic-beta': `${two}, ${one}, prompt-caching-2024-07-31` })).toBeGreaterThan(0);
    expect(await read(ask(base), { 'anthropic-beta': one })).toBe(0);
  });

  test('the order of keys in a tool’s input counts', async () => {
    const history = (input: object) => [
      { role: 'user', content: longText('question') },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input }] },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'ok' }], ...MARK }],
      },
    ];
    await session.message(ask({ messages: history({ a: 1, b: 2 }) }), NO_CALLS);
    expect(await read(ask({ messages: history({ a: 1, b: 2 }) }))).toBeGreaterThan(1990);
    expect(await read(ask({ messages: history({ b: 2, a: 1 }) }))).toBe(0);
  });

  test('another model or workspace shares nothing, two keys of one workspace share all', async () => {
    session = createSession({ workspaces: { 'key-a': 'one', 'key-b': 'one', 'key-c': 'two' } });
    await session.message(ask({ system: SYSTEM }));
    expect(await read(ask({ system: SYSTEM }), { 'x-api-key': 'key-b' })).toBeGreaterThan(0);
    expect(await read(ask({ system: SYSTEM }), { 'x-api-key': 'key-c' })).toBe(0);
    expect(await read(ask({ system: SYSTEM, model: 'claude-opus-5' }))).toBe(0);
    expect(await read(ask({ system: SYSTEM }), { 'anthropic-workspace-id': 'three' })).toBe(0);
  });
});

describe('thinking in the history (§3.8, §3.11)', () => {
  const question = { role: 'user', content: longText('question') };
  const THINK = { 'x-simulator-thinking-tokens': '40', ...NO_CALLS };

  async function conversation(model: string, thinking: object) {
    const body = ask({ model, thinking, max_tokens: 2000, messages: [question] });
    const answer = await session.message(body, THINK);
    return [question, { role: 'assistant', content: answer.content }, { role: 'user', content: [marked('Go on')] }];
  }

  test('newer models keep old thinking in the prompt, Sonnet and Haiku up to 4.5 drop it at a plain user turn', async () => {
    for (const [model, stays] of [
      ['claude-sonnet-4-6', true],
      ['claude-sonnet-4-5', false],
    ] as const) {
      const thinking = { type: 'enabled', budget_tokens: 1024 };
      const messages = await conversation(model, thinking);
      const bare = messages.map((message) =>
        Array.isArray(message.content)
          ? { ...message, content: message.content.filter((part) => part.type !== 'thinking') }
          : message,
      );
      const usage = async (list: object[]) =>
        (await session.message(ask({ model, thinking, max_tokens: 2000, messages: list }), THINK)).usage;
      const withThinking = (await usage(messages)).cache_creation_input_tokens;
      const second = await usage(bare);
      expect(second.cache_read_input_tokens === withThinking).toBe(!stays);
    }
  });

  test('a thinking block that was changed is a 400', async () => {
    const messages = await conversation(OPUS, { type: 'adaptive', display: 'summarized' });
    const changed = JSON.parse(JSON.stringify(messages).replace(/"thinking":"/, '"thinking":"Edited ')) as object[];
    const refusal = await session.refusal(ask({ messages: changed, thinking: { type: 'adaptive' } }));
    expect(refusal.message).toContain('Invalid `signature` in `thinking` block');
  });

  test('on models that bind thinking a changed prefix is a 400, and added markers are no change', async () => {
    const messages = await conversation('claude-fable-5-2', { type: 'adaptive' });
    const again = (rest: object) => ask({ model: 'claude-fable-5-2', messages, ...rest });
    expect((await session.post(again({ cache_control: { type: 'ephemeral' }, max_tokens: 7 }))).status).toBe(200);
    const refusal = await session.refusal(again({ system: 'You are new here.' }));
    expect(refusal.message).toContain('bound to a different conversation');
  });

  test('a caller may have such blocks dropped, and is told which', async () => {
    const messages = await conversation('claude-fable-5-2', { type: 'adaptive' });
    const thinking = { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } };
    const body = ask({ model: 'claude-fable-5-2', messages, system: 'You are new here.', thinking });
    const answer = await session.message(body, { 'anthropic-beta': 'thinking-binding-controls-2026-08-01' });
    expect(answer.input_transformations).toEqual([
      { type: 'thinking_dropped', path: 'messages.1.content.0', reason: 'prefix_binding_mismatch' },
    ]);
  });

  test('another model’s thinking is silently left out', async () => {
    const messages = await conversation('claude-opus-4-8', { type: 'adaptive' });
    const answer = await session.message(ask({ model: 'claude-opus-5', messages }));
    expect(answer.input_transformations).toMatchObject([{ reason: 'model_binding_mismatch' }]);
  });
});

describe('pre-warming (§3.13)', () => {
  const warm = (rest: object = {}) => ask({ system: SYSTEM, max_tokens: 0, ...rest });

  test('max_tokens 0 writes the cache, answers nothing and bills no output', async () => {
    const answer = await session.message(warm());
    expect(answer).toMatchObject({ content: [], stop_reason: 'max_tokens', usage: { output_tokens: 0 } });
    expect(await read(ask({ system: SYSTEM }))).toBe(answer.usage.cache_creation_input_tokens);
  });

  test.each([
    ['stream', { stream: true }],
    ['enabled thinking', { thinking: { type: 'enabled', budget_tokens: 1024 }, model: 'claude-sonnet-4-5' }],
    ['a schema', { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } }],
    ['tool_choice any', { tools: [TOOL], tool_choice: { type: 'any' } }],
    ['tool_choice tool', { tools: [TOOL], tool_choice: { type: 'tool', name: 'look' } }],
  ])('it is refused together with %s', async (_, rest) => {
    expect((await session.refusal(warm(rest))).message).toContain('max_tokens: 0 is not permitted');
  });
});

describe('mid-conversation system messages (§3.9)', () => {
  const user = { role: 'user', content: longText('question') };
  const system = { role: 'system', content: [marked('Be brief.')] };

  test('they can be cached and leave the prefix before them alone', async () => {
    await session.message(ask({ messages: [{ role: 'user', content: [marked(longText('question'))] }] }));
    const usage = (await session.message(ask({ messages: [user, system] }))).usage;
    expect(usage.cache_read_input_tokens).toBe(2000);
    expect(usage.cache_creation_input_tokens).toBeGreaterThan(0);
  });

  test.each([
    ['first', [system, user], OPUS],
    ['after an assistant turn', [user, { role: 'assistant', content: 'Yes' }, system], OPUS],
    ['before a user turn', [user, system, user], OPUS],
    ['with an image', [user, { role: 'system', content: [{ type: 'image', source: {} }] }], OPUS],
    ['on Sonnet 5', [user, system], 'claude-sonnet-5'],
  ])('%s they are a 400', async (_, messages, model) => {
    expect((await session.refusal(ask({ messages, model }))).status).toBe(400);
  });
});

describe('the engine behind HTTP', () => {
  test('parallel requests on a cold prefix all pay, and one that starts after the first answer began reads', async () => {
    session = createSession({
      timing: {
        firstTokenBaseMs: 500,
        perUncachedInputTokenUs: 50,
        perOutputTokenMs: 10,
        jitter: 0,
        pingEveryMs: 10_000,
      },
    });
    const both = [1, 2].map(() => session.message(ask({ system: SYSTEM }), { 'x-simulator-output-tokens': '10' }));
    await session.clock.advance(5000);
    for (const one of await Promise.all(both)) expect(one.usage.cache_read_input_tokens).toBe(0);
    const late = session.message(ask({ system: SYSTEM }));
    await session.clock.advance(20_000);
    expect((await late).usage.cache_read_input_tokens).toBeGreaterThan(1990);
  });

  test('life counts from the start of the request, though its answer begins later', async () => {
    const slow = session.message(ask({ system: SYSTEM }), { 'x-simulator-fault': 'stall-headers;ms=60000' });
    await session.clock.advance(60_000);
    await slow;
    await session.clock.advance(239_000);
    expect(
      await session.simulator.fetch(new Request('http://simulator.test/_simulator/state')).then((r) => r.json()),
    ).toMatchObject({ cache_entries: 1 });
    await session.clock.advance(1000);
    expect(await read(ask({ system: SYSTEM }))).toBe(0);
  });

  test('a request that fails before its answer begins writes nothing', async () => {
    for (const fault of ['529', 'error-in-stream;after=0', 'cut;after=0']) {
      await session.post(ask({ system: SYSTEM, stream: true }), { 'x-simulator-fault': fault });
    }
    expect(session.simulator.cacheEntries).toBe(0);
  });
});
