import { describe, expect, it } from 'vitest';
import { concatenate } from '../../../src/core/bytes.ts';
import { planContinuation } from '../../../src/ingress/recovery/continuation.ts';
import { eventsIn, faultOf, textsOf, type StreamEvent } from '../../support/event-sequence.ts';
import { createSession, longText, marked, type Session } from '../../simulator/session.ts';
import { join, partialOf, record } from './streams.ts';

/** The whole of it against the simulator, which knows nothing of this and refuses what the API refuses. */

const MODELS = [
  'claude-sonnet-4-5',
  'claude-haiku-4-5-20251001',
  'claude-opus-4-6',
  'claude-opus-4-8',
  'claude-sonnet-5-5',
  'claude-opus-5-5',
  'claude-fable-5-2',
] as const;
/** They take a prefill, and no thinking with it. */
const PREFILLED = new Set<string>(['claude-sonnet-4-5', 'claude-haiku-4-5-20251001']);

const TOOLS = [{ name: 'get_weather', description: 'Weather', input_schema: { type: 'object', properties: {} } }];
const AFTER_A_TOOL = [
  { role: 'user', content: 'What is the weather?' },
  { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'Rain' }] },
];
const FOUR_MARKERS = {
  tools: [{ ...TOOLS[0], cache_control: { type: 'ephemeral' } }],
  system: [marked(longText('system', 6000))],
  messages: [{ role: 'user', content: [marked('first'), { type: 'text', text: 'second' }, marked('third')] }],
};

const BODIES: readonly (readonly [string, object])[] = [
  ['a string', { messages: [{ role: 'user', content: 'Tell me' }] }],
  ['blocks', { messages: [{ role: 'user', content: [{ type: 'text', text: 'Tell me' }] }] }],
  ['user turns in a row', { messages: [{ role: 'user', content: 'Tell' }, { role: 'user', content: 'me' }] }], // prettier-ignore
  ['tools, the last turn a result', { tools: TOOLS, messages: AFTER_A_TOOL }],
  ['four markers', FOUR_MARKERS],
  ['an automatic marker', { cache_control: { type: 'ephemeral' }, system: longText('system', 6000), messages: [{ role: 'user', content: 'Tell me' }] }], // prettier-ignore
];

interface Heard {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** Posts these very bytes and hears as much as comes. */
async function ask({ simulator }: Session, body: Uint8Array<ArrayBuffer>, headers: object = {}): Promise<Heard> {
  const fixed = { 'x-api-key': 'key-a', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' };
  const request = new Request('http://simulator.test/v1/messages', { method: 'POST', body, headers: { ...fixed, ...headers } }); // prettier-ignore
  const response = await simulator.fetch(request);
  const pieces: Uint8Array[] = [];
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  } catch {
    // cut, as ordered
  }
  return { status: response.status, bytes: concatenate(pieces) };
}

const written = (body: object): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(body));

type Body = { readonly model: string } & Readonly<Record<string, unknown>>;

interface Recovered {
  readonly events: StreamEvent[];
  readonly texts: readonly [first: string, rest: string];
  readonly status: number;
}

/** Breaks the answer to `body` inside its text, asks for the rest and joins the two. */
async function recovered(session: Session, body: Body, headers: object, fault: string): Promise<Recovered> {
  const bytes = written(body);
  const first = await ask(session, bytes, { ...headers, 'x-simulator-fault': fault });
  const { recorder, sent } = record([first.bytes]);
  const partial = partialOf(recorder);
  const plan = planContinuation(bytes, body.model, partial);
  if (plan.kind === 'no') throw new Error(`not continued: ${plan.reason}`);
  const second = await ask(session, new Uint8Array(plan.body), headers);
  const { splicer, sent: rest } = join(partial, [second.bytes], plan.untold);
  expect([second.status, splicer.ending]).toEqual([200, 'complete']);
  const secondText = textsOf(eventsIn(second.bytes)).join('');
  return { events: eventsIn(concatenate([sent, rest])), texts: [partial.text, secondText], status: second.status };
}

function closingUsage(events: readonly StreamEvent[]): Readonly<Record<string, number>> {
  const closing = events.findLast(({ type }) => type === 'message_delta');
  return (closing?.data['usage'] ?? {}) as Readonly<Record<string, number>>;
}

/** The message that a client makes of the events, as it would send it back. */
function contentOf(events: readonly StreamEvent[]): object[] {
  const blocks: Record<string, unknown>[] = [];
  for (const { type, data } of events) {
    if (type === 'content_block_start') blocks.push({ ...(data['content_block'] as object) });
    const delta = data['delta'] as Record<string, string> | undefined;
    const block = blocks.at(-1);
    for (const part of ['text', 'thinking', 'signature'] as const) {
      if (type === 'content_block_delta' && block && delta?.[part]) block[part] = String(block[part]) + delta[part];
    }
  }
  return blocks;
}

const QUIET = { 'x-simulator-thinking-tokens': '0', 'x-simulator-output-tokens': '80', 'x-simulator-tools': 'none' };
const THINKING = { ...QUIET, 'x-simulator-output-tokens': '200', 'x-simulator-thinking-tokens': '40' };

describe.each(MODELS)('the simulator’s %s', (model) => {
  it.each(BODIES)('takes the continuation of %s', async (_what, body) => {
    const request = { model, max_tokens: 300, stream: true, ...body };
    const { events, texts } = await recovered(createSession(), request, QUIET, 'cut;after=6');
    expect(faultOf(events)).toBeNull();
    expect(texts[0]).not.toBe('');
    expect(textsOf(events).join('')).toBe(texts.join(''));
  });

  it('goes on from an error event in the stream, and from a text that has only begun', async () => {
    const request = { model, max_tokens: 300, stream: true, messages: [{ role: 'user', content: 'Tell me' }] };
    for (const fault of ['error-in-stream;after=5', 'end-early;after=1']) {
      const { events } = await recovered(createSession(), request, QUIET, fault);
      expect(faultOf(events)).toBeNull();
    }
  });

  it('reads the prefix that the first call has written', async () => {
    const session = createSession();
    const request = { model, max_tokens: 300, stream: true, ...FOUR_MARKERS };
    const { events } = await recovered(session, request, QUIET, 'cut;after=6');
    const [first, second] = session.simulator.observations.list.map(({ usage: billed }) => billed);
    expect(first?.write5mTokens).toBeGreaterThan(0);
    expect(second).toMatchObject({ readTokens: first?.write5mTokens, write5mTokens: 0 });
    const usage = closingUsage(events);
    expect(usage['cache_read_input_tokens']).toBe(second?.readTokens);
    expect(usage['cache_creation_input_tokens']).toBe(first?.write5mTokens);
  });

  it('takes the joined answer back in the next turn, and in the one behind it', async () => {
    const session = createSession();
    const asking = { model, max_tokens: 600, stream: true, ...(PREFILLED.has(model) ? {} : { thinking: { type: 'adaptive' } }) }; // prettier-ignore
    const messages: object[] = [];
    for (const question of ['One?', 'Two?', 'Three?']) {
      messages.push({ role: 'user', content: question });
      const { events } = await recovered(session, { ...asking, messages: [...messages] }, THINKING, 'cut;after=25');
      expect(faultOf(events)).toBeNull();
      const content = contentOf(events);
      const types = content.map((block) => (block as { type: string }).type);
      expect(types).toEqual(PREFILLED.has(model) ? ['text'] : ['thinking', 'text']);
      messages.push({ role: 'assistant', content });
    }
  });
});

describe('the simulator, as the API, refuses what is therefore never asked', () => {
  it('a prefill of a later model, and one that ends in white space', async () => {
    const prefill = (content: string) => [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content },
    ];
    const { refusal } = createSession();
    const asked = (model: string, content: string) => refusal({ model, max_tokens: 9, messages: prefill(content) });
    expect((await asked('claude-opus-5', 'He')).message).toMatch(/prefill/);
    expect((await asked('claude-opus-4-5', 'He ')).message).toMatch(/whitespace/);
  });

  it('thinking of the second call in a history that has not our turn in it', async () => {
    const session = createSession();
    const model = 'claude-opus-5-5';
    const user = { role: 'user', content: 'Hi' };
    const quoted = { model, max_tokens: 300, messages: [user, { role: 'user', content: 'Go on from: Hel' }] };
    const { content } = await session.message(quoted, THINKING);
    const next = { model, max_tokens: 300, messages: [user, { role: 'assistant', content }, user] };
    expect((await session.refusal(next, THINKING)).message).toMatch(/bound to a different conversation/);
  });

  it('a user turn behind a system message', async () => {
    const { refusal } = createSession();
    const turns = [{ role: 'user', content: 'Hi' }, { role: 'system', content: 'Be brief' }, { role: 'user', content: 'Go on' }]; // prettier-ignore
    expect((await refusal({ model: 'claude-opus-5', max_tokens: 9, messages: turns })).message).toMatch(/system/);
  });
});
