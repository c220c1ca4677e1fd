import { hash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PrefixForest, PrefixNode } from '../../src/console/contract.ts';
import { keyedIds, prefixForestOf } from '../../src/console/prefix-forest.ts';
import { NO_USAGE } from '../../src/core/usage.ts';
import type { SharedPrefix } from '../../src/prompt/book/prefix-book-node.ts';
import { createTraffic, part, type Sent } from '../prompt/prefix-book-traffic.ts';
import { text, user } from '../prompt/prefixes.ts';

const WALL_MS = Date.UTC(2026, 10, 22);
const SYSTEM = [part('Be kind', 3_000)];
const TOOLS = [{ name: 'read', description: 'Reads. '.repeat(300), input_schema: {} }];

let traffic: ReturnType<typeof createTraffic>;
beforeEach(() => {
  traffic = createTraffic();
});

const sha256Hex = (words: string): string => hash('sha256', words, 'hex');

function forest(nowMs = 0, key = 'secret'): PrefixForest {
  return prefixForestOf(traffic, { nowMs, wallMs: WALL_MS + nowMs, idOf: keyedIds(key, sha256Hex) });
}

function all(nodes: readonly PrefixNode[]): PrefixNode[] {
  return nodes.flatMap((node) => [node, ...all(node.children)]);
}

const nodes = (nowMs = 0): PrefixNode[] => all(forest(nowMs).trees.flatMap(({ roots }) => roots));
const at = (place: string, nowMs = 0): PrefixNode | undefined => nodes(nowMs).find((node) => node.place === place);

function ask(count: number, body: object, sent?: Sent): void {
  for (let one = 0; one < count; one++) traffic.send({ ...body, messages: [user(`Question ${one}?`)] }, sent);
}

describe('a tree of prefixes', () => {
  it('stands for one cache domain and model, the one that moved most money first', () => {
    ask(2, { system: SYSTEM }, { model: 'claude-haiku-4-5' });
    ask(9, { tools: TOOLS, system: SYSTEM }, { model: 'claude-opus-5', domain: 'main/acme/' });
    expect(forest().trees.map(({ domain, model, roots }) => [domain, model, roots.map(({ place }) => place)])).toEqual([
      ['main/acme', 'claude-opus-5', ['tools']],
      ['main', 'claude-haiku-4-5', ['system[0]']],
    ]);
  });

  it('is empty before anything is shared', () => {
    ask(1, { system: SYSTEM });
    expect(forest().trees).toEqual([]);
  });

  it('names the busiest tenants of a prefix, and counts all', () => {
    for (let tenant = 0; tenant < 30; tenant++) {
      ask(tenant === 17 ? 3 : 1, { system: SYSTEM }, { tenant: `tenant ${tenant}` });
    }
    const node = at('system[0]');
    expect([node?.tenants.length, node?.tenants[0], node?.tenantCount]).toEqual([20, 'tenant 17', 30]);
  });

  it('counts conversations and lists none: not even those whose system prompt is their own', () => {
    for (const customer of [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]) {
      const own = { ...text(`This is customer ${customer}.`), cache_control: { type: 'ephemeral' } };
      traffic.send({ system: [...SYSTEM, own, text('Today is Sunday.')], messages: [user('Hi')] });
    }
    expect(nodes().map(({ place, conversations }) => [place, conversations])).toEqual([['system[0]', 5]]);
  });

  it('shows the whole head of the first conversation of an app', () => {
    for (let turn = 0; turn < 2; turn++) traffic.send({ tools: TOOLS, system: SYSTEM, messages: [user('Hi')] });
    expect(nodes().map(({ place }) => place)).toEqual(['tools', 'system[0]']);
  });

  it('takes 2,000 prefixes that all stand on one another, as a tenant can make them', () => {
    ask(2, { system: SYSTEM });
    const reading = traffic.prefixes.read(0);
    const prefixes: SharedPrefix[] = [];
    for (let hash = 0; hash < 2_000; hash++) {
      const parent = prefixes.at(-1) ?? null;
      prefixes.push({ ...(reading.prefixes[0] as SharedPrefix), hash, parent, hasParted: true });
    }
    const book = { ...traffic.prefixes, read: () => ({ ...reading, prefixes }) };
    const options = { nowMs: 0, wallMs: WALL_MS, idOf: keyedIds('secret', sha256Hex) };
    const { trees, hiddenNodes } = prefixForestOf({ ...traffic, prefixes: book }, options);
    expect([all(trees[0]?.roots ?? []).length, hiddenNodes]).toEqual([400, 1_600]);
  });

  it('tells times of day', () => {
    ask(2, { system: SYSTEM }, { nowMs: 5_000 });
    expect(at('system[0]', 65_000)?.lastUsedAtMs).toBe(WALL_MS + 5_000);
  });

  it('has no price where the model has none', () => {
    ask(3, { system: SYSTEM }, { model: 'of-tomorrow' });
    expect(at('system[0]')).toMatchObject({ savedUsd: null, writeCostUsd: null });
  });
});

describe('a prefix is warm', () => {
  const body = { system: SYSTEM, messages: [user('Why?')] };
  const marked = (ttl: string) => ({ ...body, system: [{ ...SYSTEM[0], cache_control: { type: 'ephemeral', ttl } }] });

  it.each(['5m', '1h'] as const)('for %s from the start of the last request that read it', (ttl) => {
    const lifeMs = ttl === '1h' ? 3_600_000 : 300_000;
    for (const nowMs of [0, 200_000]) traffic.send(marked(ttl), { nowMs });
    expect(at('system[0]', 210_000)).toMatchObject({ warmUntilMs: WALL_MS + 200_000 + lifeMs, ttl });
    expect(at('system[0]', 200_000 + lifeMs)).toMatchObject({ warmUntilMs: null, ttl: null });
  });

  it('as part of what always follows it', () => {
    for (const nowMs of [0, 1_000]) traffic.send({ tools: TOOLS, ...marked('5m') }, { nowMs });
    expect(at('tools', 2_000)).toMatchObject({ warmUntilMs: WALL_MS + 301_000, ttl: '5m' });
  });

  it('no longer than what it was written on top of', () => {
    const markedTools = TOOLS.map((tool) => ({ ...tool, cache_control: { type: 'ephemeral' } }));
    traffic.send({ tools: markedTools, system: [part('Be brief', 200)], messages: [user('Hi')] }, { nowMs: 0 });
    for (const words of ['Why?', 'When?']) {
      traffic.send({ tools: TOOLS, ...marked('1h'), messages: [user(words)] }, { nowMs: 10_000 });
    }
    expect(at('system[0]', 20_000)).toMatchObject({ warmUntilMs: WALL_MS + 310_000, ttl: '1h' });
  });

  it('not at all where prompts part behind it and no entry ends there', () => {
    const parts = ['a', 'b', 'c', 'd']; // all four markers are the caller's
    for (const [role, words] of [
      ['cook', 'Hi'],
      ['pilot', 'Hi'],
      ['cook', 'Why?'],
      ['cook', 'Hi'],
    ] as const) {
      const system = parts.map((name) => ({ ...part(`${role} ${name}`, 1_000), cache_control: { type: 'ephemeral' } }));
      traffic.send({ tools: TOOLS, system, messages: [user(words)] });
    }
    expect(at('tools')).toMatchObject({ requests: 4, warmUntilMs: null, ttl: null });
    expect(nodes().map(({ ttl }) => ttl)).toEqual([null, '5m', '5m', '5m', '5m']);
  });

  it('for nobody to see where nothing is to be changed: entries of callers’ own markers are not followed', () => {
    for (let time = 0; time < 2; time++) traffic.send(marked('5m'), { mode: 'observe' });
    expect(at('system[0]')).toMatchObject({ requests: 2, warmUntilMs: null });
  });
});

describe('the figures of a forest', () => {
  /** 30 apps under one set of tools for each of 20 models, twice. */
  function manyApps(): { readTokens: number; writeTokens: number } {
    const billed = { readTokens: 0, writeTokens: 0 };
    for (let app = 0; app < 600; app++) {
      for (const usage of [
        { ...NO_USAGE, cacheWrite5m: 4_000 + app },
        { ...NO_USAGE, cacheRead: 4_000 + app },
      ]) {
        const body = { tools: TOOLS, system: [part(`App ${app}`, 1_100)], messages: [user('Hi')] };
        traffic.note(body, { model: `model-${app % 20}`, usage });
        billed.readTokens += usage.cacheRead;
        billed.writeTokens += usage.cacheWrite5m;
      }
    }
    return billed;
  }

  it('add up to what usage said, with what is elsewhere', () => {
    const billed = manyApps();
    const { elsewhere } = forest();
    const shown = nodes();
    const sum = (of: 'readTokens' | 'writeTokens') => shown.reduce((total, node) => total + node[of], elsewhere[of]);
    expect({ readTokens: sum('readTokens'), writeTokens: sum('writeTokens') }).toEqual(billed);
  });

  it('are of 400 prefixes at most, and the rest is counted', () => {
    for (let app = 0; app < 600; app++) ask(2, { system: [part(`App ${app}`, 1_100)] });
    expect([nodes().length, forest().hiddenNodes]).toEqual([400, 200]);
  });
});

describe('the id of a prefix', () => {
  it('is another with another key, and the same in every isolate with the same one', () => {
    const ids = (key: string) => forest(0, key).trees.flatMap(({ roots }) => roots.map(({ id }) => id));
    ask(2, { system: SYSTEM });
    const [one] = ids('secret');
    traffic = createTraffic();
    ask(2, { system: SYSTEM });
    expect([ids('secret')[0], ids('other')[0] === one]).toEqual([one, false]);
  });

  it('holds nothing of the chain hash, nor does anything else', () => {
    ask(2, { system: SYSTEM });
    const [prefix] = traffic.prefixes.read(0).prefixes;
    const told = JSON.stringify(forest());
    expect([String(prefix?.hash), prefix?.hash.toString(16), 'Be kind'].filter((words) => told.includes(words ?? ''))).toEqual([]); // prettier-ignore
  });
});
