import { describe, expect, it } from 'vitest';
import type { PrefixForest, PrefixNode } from '../../src/console/contract.ts';
import { mergeForests } from '../../src/console/merge-forests.ts';

function node(id: string, tokens: number, rest: Partial<PrefixNode> = {}): PrefixNode {
  return {
    id,
    place: 'system',
    tokens,
    requests: 1,
    tenants: ['acme'],
    tenantCount: 1,
    conversations: 1,
    lastUsedAtMs: 0,
    warmUntilMs: null,
    ttl: null,
    readTokens: 0,
    writeTokens: 0,
    writeCostUsd: 0,
    savedUsd: 0,
    children: [],
    ...rest,
  };
}

function forestOf(roots: readonly PrefixNode[], rest: Partial<PrefixForest> & { model?: string } = {}): PrefixForest {
  const { model = 'claude-opus-5', ...others } = rest;
  const trees = [{ domain: 'main', model, roots }];
  return { atMs: 0, trees, hiddenNodes: 0, elsewhere: { readTokens: 0, writeTokens: 0 }, ...others };
}

const merged = (...roots: (readonly PrefixNode[])[]): readonly PrefixNode[] =>
  mergeForests(roots.map((each) => forestOf(each))).trees[0]?.roots ?? [];

/** `a(b c)`: what stands on what. */
function shape(nodes: readonly PrefixNode[]): string {
  const one = ({ id, children }: PrefixNode): string => (children.length > 0 ? `${id}(${shape(children)})` : id);
  return nodes.map(one).sort().join(' ');
}

describe('the same prefix in several forests', () => {
  it('is one, with what was counted added up', () => {
    const one = { requests: 3, conversations: 2, readTokens: 10, writeTokens: 20, writeCostUsd: 0.5, savedUsd: 1 };
    const other = { requests: 4, conversations: 1, readTokens: 1, writeTokens: 2, writeCostUsd: 0.25, savedUsd: -2 };
    expect(merged([node('a', 10, one)], [node('a', 10, other)])).toEqual([
      node('a', 10, {
        requests: 7,
        conversations: 3,
        readTokens: 11,
        writeTokens: 22,
        writeCostUsd: 0.75,
        savedUsd: -1,
      }),
    ]);
  });

  it('is warm as long as it is anywhere, and was used when it was last used', () => {
    const sightings = [
      node('a', 10, { warmUntilMs: 500, ttl: '1h', lastUsedAtMs: 100 }),
      node('a', 10, { warmUntilMs: 900, ttl: '5m', lastUsedAtMs: 90 }),
      node('a', 10),
    ];
    expect(merged(...sightings.map((one) => [one]))).toMatchObject([
      { warmUntilMs: 900, ttl: '5m', lastUsedAtMs: 100 },
    ]);
  });

  it('has the tenants of all, the busiest of each first', () => {
    const one = node('a', 10, { requests: 9, tenants: ['acme', 'zoo'], tenantCount: 2 });
    const other = node('a', 10, { requests: 1, tenants: ['zoo', 'bank'], tenantCount: 2 });
    expect(merged([other], [one])).toMatchObject([{ tenants: ['acme', 'zoo', 'bank'], tenantCount: 3 }]);
  });

  it('has at least as many tenants as the forest that counted most, and names twenty', () => {
    const names = (from: number) => Array.from({ length: 20 }, (_, at) => `tenant ${from + at}`);
    const [root] = merged([node('a', 10, { tenants: names(0), tenantCount: 70 })], [node('a', 10, { tenants: names(10), tenantCount: 20 })]); // prettier-ignore
    expect([root?.tenants.length, root?.tenantCount]).toEqual([20, 70]);
  });

  it('is as long as the busiest says', () => {
    expect(merged([node('a', 90)], [node('a', 100, { requests: 5 })])).toMatchObject([{ tokens: 100 }]);
  });

  it('has no price where one of them has none', () => {
    const unknown = node('a', 10, { writeCostUsd: null, savedUsd: null });
    expect(merged([node('a', 10)], [unknown])).toMatchObject([{ writeCostUsd: null, savedUsd: null }]);
  });

  it('stands on the deepest prefix that any forest knows below it', () => {
    const full = node('a', 10, { children: [node('b', 20, { children: [node('c', 30)] })] });
    const gap = node('a', 10, { children: [node('c', 30), node('d', 40)] });
    const alone = node('d', 40, { children: [node('e', 50)] });
    expect(shape(merged([full], [gap], [alone]))).toBe('a(b(c) d(e))');
  });
});

describe('several forests', () => {
  it('are one forest, a tree for each domain and model', () => {
    const forests = [
      forestOf([node('a', 10)]),
      forestOf([node('b', 10)], { model: 'other' }),
      forestOf([node('c', 10)]),
    ];
    expect(mergeForests(forests).trees.map(({ model, roots }) => `${model}: ${shape(roots)}`)).toEqual([
      'claude-opus-5: a c',
      'other: b',
    ]);
  });

  it('are as new as the newest, with what is hidden and elsewhere in any of them', () => {
    const forests = [1, 2].map((at) => forestOf([], { atMs: at, hiddenNodes: at, elsewhere: { readTokens: at, writeTokens: at } })); // prettier-ignore
    expect(mergeForests(forests)).toEqual({
      atMs: 2,
      trees: [],
      hiddenNodes: 3,
      elsewhere: { readTokens: 3, writeTokens: 3 },
    });
  });

  it('show 400 prefixes together, those that moved most money, and what else was read is elsewhere', () => {
    const roots = (name: string) => Array.from({ length: 300 }, (_, at) => node(`${name} ${at}`, 10, { savedUsd: at, readTokens: at })); // prettier-ignore
    const forest = mergeForests([forestOf(roots('a')), forestOf(roots('b'))]);
    const shown = forest.trees.flatMap((tree) => tree.roots);
    expect([shown.length, forest.hiddenNodes, shown[0]?.savedUsd, shown.at(-1)?.savedUsd]).toEqual([
      400, 200, 299, 100,
    ]);
    expect(forest.elsewhere.readTokens).toBe(99 * 100);
  });

  it('of which there are none are an empty one', () => {
    expect(mergeForests([]).trees).toEqual([]);
  });
});
