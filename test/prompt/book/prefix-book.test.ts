import { beforeEach, describe, expect, it } from 'vitest';
import { NO_USAGE, type TokenUsage } from '../../../src/core/usage.ts';
import { createTraffic, part, pathOf, type Sent } from '../prefix-book-traffic.ts';
import { text, user } from '../prefixes.ts';

const HOUR_MS = 3_600_000;
const TOOLS = [{ name: 'read', description: 'Reads. '.repeat(300), input_schema: {} }];
const SYSTEM = [part('Be kind', 3_000)];
const MARKED = { cache_control: { type: 'ephemeral' } };

let traffic: ReturnType<typeof createTraffic>;
beforeEach(() => {
  traffic = createTraffic();
});

const send = (body: object, sent?: Sent): TokenUsage => traffic.send(body, sent);
const known = (nowMs = 0) => [...traffic.prefixes.read(nowMs).prefixes];
const paths = () => known().map(pathOf).sort();
const at = (path: string) => known().find((prefix) => pathOf(prefix) === path);
const conversationsAt = (path: string, nowMs = 0) => {
  const reading = traffic.prefixes.read(nowMs);
  return [...reading.conversations].find(([prefix]) => pathOf(prefix) === path)?.[1];
};

/** So many conversations, each with a question of its own. */
function ask(count: number, body: object, question = 'Question'): void {
  for (let one = 0; one < count; one++) send({ ...body, messages: [user(`${question} ${one}?`)] });
}

describe('what is known as a prefix', () => {
  it('is what a second request has, too', () => {
    ask(1, { system: SYSTEM });
    expect(paths()).toEqual([]);
    ask(1, { system: SYSTEM }, 'Another');
    expect(paths()).toEqual(['system[0]']);
  });

  it('are the tools, and system on top of them; the turns of a conversation are not', () => {
    const messages = [user('Hi'), { role: 'assistant', content: 'Yes?' }, user('Why?')];
    for (const turns of [1, 3]) send({ tools: TOOLS, system: SYSTEM, messages: messages.slice(0, turns) });
    expect(paths()).toEqual(['tools', 'tools > system[0]']);
  });

  it('are instructions that several stand on, up to where they part, as of the next request of each', () => {
    for (const app of ['one', 'two', 'one', 'two']) ask(1, { tools: TOOLS, system: [...SYSTEM, part(app, 500)] });
    expect(paths()).toEqual([
      'tools',
      'tools > system[0]',
      'tools > system[0] > system[1]',
      'tools > system[0] > system[1]',
    ]);
  });

  it('are tools up to where another set of them goes on differently', () => {
    const more = (name: string) => [...TOOLS, { name, input_schema: {} }];
    for (const name of ['write', 'list', 'write', 'list']) ask(1, { tools: more(name), system: SYSTEM });
    expect(paths().filter((path) => path.split(' > ').length <= 2)).toEqual([
      'tools[0]',
      'tools[0] > tools',
      'tools[0] > tools',
    ]);
  });

  it('are examples at the head of messages, once the third conversation begins with them', () => {
    const examples = [user([part('Example', 2_000)]), { role: 'assistant', content: 'So.' }];
    const about = (topic: string) => ({ system: SYSTEM, messages: [...examples, user(topic)] });
    for (const topic of ['rain', 'snow', 'wind', 'hail']) send(about(topic));
    expect(paths()).toEqual(['system[0]', 'system[0] > messages[1].content']);
  });

  it('is a block of a message that its caller marks and asks behind', () => {
    const question = (words: string) => [user([{ ...part('Document', 5_000), ...MARKED }, text(words)])];
    for (const words of ['Who?', 'When?']) send({ messages: question(words) });
    expect(paths()).toEqual(['messages[0].content[0]']);
  });

  it('is no greeting that many happen to begin with', () => {
    const chat = (turn: string) => [user('Hello'), { role: 'assistant', content: 'Hello!' }, user(turn)];
    for (const turn of ['a', 'b', 'c', 'd', 'e']) send({ system: SYSTEM, messages: chat(turn) });
    expect(paths()).toEqual(['system[0]']);
  });

  it('is no place at which one conversation replaces its end in every turn', () => {
    const messages: object[] = [];
    for (let turn = 0; turn < 6; turn++) {
      messages.push(user([part(`Turn ${turn}`, 2_000), text(`It is ${turn}:00.`)]));
      send({ system: SYSTEM, messages });
      messages.splice(-1, 1, user([part(`Turn ${turn}`, 2_000)]), { role: 'assistant', content: 'Yes.' });
    }
    expect(paths()).toEqual(['system[0]']);
  });

  it('is nothing too short to be cached', () => {
    ask(3, { system: [part('Be brief', 900)] });
    expect(paths()).toEqual([]);
  });

  it('is nothing that names a model or a workspace by a kilobyte', () => {
    for (const words of ['a', 'b']) send({ system: SYSTEM, messages: [user(words)] }, { domain: 'w'.repeat(1_000) });
    expect(paths()).toEqual([]);
  });

  it('differs by model and by cache domain', () => {
    for (const sent of [{}, { model: 'claude-opus-5' }, { domain: 'other//' }]) {
      for (const words of ['a', 'b']) send({ system: SYSTEM, messages: [user(words)] }, sent);
    }
    expect(known().map(({ domain, model }) => `${domain} ${model}`)).toEqual([
      'main// claude-sonnet-5',
      'main// claude-opus-5',
      'other// claude-sonnet-5',
    ]);
  });
});

describe('who shares a prefix', () => {
  it('are its tenants, by their requests', () => {
    for (const tenant of ['acme', 'zoo', 'zoo']) send({ system: SYSTEM, messages: [user('Hi')] }, { tenant });
    expect([...(at('system[0]')?.tenants ?? [])]).toEqual([
      ['acme', 1],
      ['zoo', 2],
    ]);
  });

  it('may be a thousand tenants', () => {
    for (let tenant = 0; tenant < 1_000; tenant++) {
      traffic.note({ system: SYSTEM, messages: [user('Hi')] }, { tenant: `tenant ${tenant}` });
    }
    expect(at('system[0]')?.tenants.size).toBe(1_000);
  });

  it('are conversations, however many turns each has', () => {
    ask(3, { system: SYSTEM });
    const growing = [user('Question 0?'), { role: 'assistant', content: 'So.' }, user('And?')];
    send({ system: SYSTEM, messages: growing });
    expect(conversationsAt('system[0]')).toBe(3);
  });

  it('are conversations on all that stands on it, too', () => {
    for (const app of ['one', 'two']) ask(2, { tools: TOOLS, system: [part(app, 2_000)] });
    expect(conversationsAt('tools')).toBe(4);
  });

  it('are no conversations that nobody heard of for an hour', () => {
    ask(3, { system: SYSTEM });
    send({ system: SYSTEM, messages: [user('Later?')] }, { nowMs: 2 * HOUR_MS });
    expect(conversationsAt('system[0]', 2 * HOUR_MS)).toBe(1);
  });

  it('are as many conversations as part behind their common head, also of those that were taken for one before', () => {
    const about = (topic: string) => ({ system: SYSTEM, messages: [user([part('Example', 2_000), text(topic)])] });
    const topics = ['rain', 'snow', 'wind', 'hail', 'fog'];
    for (const topic of [...topics, ...topics]) send(about(topic));
    expect(conversationsAt('system[0]')).toBe(topics.length);
  });
});

describe('what a prefix cost and saved', () => {
  const usageOf = (usage: Partial<TokenUsage>): TokenUsage => ({ ...NO_USAGE, ...usage });

  it('is what was written once and read by the others', () => {
    ask(5, { system: SYSTEM });
    const prefix = at('system[0]');
    expect(prefix).toMatchObject({ requests: 5, writeTokens: 3_025, readTokens: 4 * 3_025 });
  });

  it('is told with its length, exactly as soon as an answer reads or writes up to its end', () => {
    const words = { system: SYSTEM, messages: [user('Hi')] };
    const lengths = [
      usageOf({ uncachedInput: 2_990 }),
      usageOf({ uncachedInput: 40, cacheWrite5m: 2_950 }),
      usageOf({ uncachedInput: 3_500 }),
    ].map((usage) => (send(words, { usage }), at('system[0]')?.length));
    expect(lengths).toEqual([undefined, { tokens: 2_950, known: 'billed' }, { tokens: 2_950, known: 'billed' }]);
  });

  it('is of its own tokens only: a conversation’s are not its system’s', () => {
    const messages = [user([part('Long', 20_000)]), { role: 'assistant', content: 'Yes.' }, user('And?')];
    for (const usage of [usageOf({ cacheWrite5m: 23_000 }), usageOf({ cacheRead: 23_000 })]) {
      send({ system: SYSTEM, messages }, { usage });
    }
    const prefix = at('system[0]');
    expect(prefix?.writeTokens).toBeLessThan(3_100);
    expect(prefix?.readTokens).toBe(prefix?.writeTokens);
    expect(traffic.prefixes.read(0).elsewhere).toEqual({
      readTokens: 23_000 - (prefix?.readTokens ?? 0),
      writeTokens: 23_000 - (prefix?.writeTokens ?? 0),
    });
  });

  it('is told in dollars, the premium by its TTL', () => {
    const ends = { system: SYSTEM, messages: [user('Hi')] };
    send(ends, { usage: usageOf({ cacheWrite5m: 3_000 }) });
    send(ends, { usage: usageOf({ cacheWrite1h: 3_000 }) });
    send(ends, { usage: usageOf({ cacheRead: 3_000 }) });
    const inputUsd = 2 / 1e6; // the price list: Sonnet 5
    const prefix = at('system[0]');
    expect(prefix?.writePremiumUsd).toBeCloseTo(3_000 * inputUsd * (0.25 + 1), 9);
    expect(prefix?.readSavingUsd).toBeCloseTo(3_000 * inputUsd * 0.9, 9);
  });

  it('is not known of a model without a price', () => {
    for (let time = 0; time < 2; time++) send({ system: SYSTEM, messages: [user('Hi')] }, { model: 'of-tomorrow' });
    expect(at('system[0]')).toMatchObject({ isPriced: false });
  });

  it('is told of callers’ own markers where nothing is to be changed', () => {
    const body = { system: SYSTEM, messages: [user('Hi')] };
    for (const usage of [usageOf({ cacheWrite5m: 3_000 }), usageOf({ cacheRead: 3_000 })]) {
      send(body, { usage, mode: 'observe' });
    }
    expect(at('system[0]')).toMatchObject({ readTokens: 3_000, writeTokens: 3_000, entry: null });
  });
});

describe('memory', () => {
  const app = (name: string) => ({ tools: TOOLS, system: [part(name, 1_200)], messages: [user('Hi')] });

  it('holds 2,000 prefixes, and no prefix is forgotten before those that stand on it', () => {
    const usage = { ...NO_USAGE, cacheRead: 3_000 };
    for (let name = 0; name < 3_000; name++) {
      for (let time = 0; time < 2; time++) traffic.note(app(`App ${name}`), { usage });
    }
    const prefixes = new Set(known());
    expect(prefixes.size).toBe(2_000);
    expect([...prefixes].filter(({ parent }) => parent !== null && !prefixes.has(parent))).toEqual([]);
    expect(at('tools')?.requests).toBe(6_000);
    const counted = [...prefixes, traffic.prefixes.read(0).elsewhere];
    expect(counted.reduce((sum, { readTokens }) => sum + readTokens, 0)).toBe(6_000 * 3_000);
  });

  it('is not taken from shared prefixes by prompts that nobody sends twice: of those, the newest 2,000 are remembered', () => {
    ask(2, { system: SYSTEM });
    for (let name = 0; name < 5_000; name++) traffic.note(app(`Once ${name}`));
    expect(paths()).toEqual(['system[0]', 'tools']);
    for (const name of ['Once 0', 'Once 4999']) traffic.note(app(name));
    expect(paths()).toEqual(['system[0]', 'tools', 'tools > system[0]']);
  });
});
