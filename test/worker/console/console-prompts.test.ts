import { describe, expect, it } from 'vitest';
import type { VolatileAdvice } from '../../../src/console/contract.ts';
import { mergeAdvice, mergePrefixes } from '../../../src/worker/console/console-prompts.ts';
import { forestOf } from '../isolate-words.ts';

const idOf = (hash: number): string => `named-${hash}`;

function adviceOf(part: Partial<VolatileAdvice> = {}): VolatileAdvice {
  const counts = { requests: 10, changes: 9, tokensBehind: 1_000, requestsPerDay: 100, wastedUsdPerDay: 0.27 };
  return { tenant: 'acme', model: 'claude-sonnet-5', place: 'system[0]', ...counts, ...part };
}

describe('the prefixes of several isolates', () => {
  it('are one where they are the same, under a name that is not their hash', () => {
    const { trees } = mergePrefixes([forestOf(7), forestOf(7, { requests: 4 }), forestOf(8)], idOf);
    const roots = trees.flatMap((tree) => tree.roots);
    expect(Object.fromEntries(roots.map(({ id, requests }) => [id, requests]))).toEqual({ 'named-7': 7, 'named-8': 3 });
  });

  it('are renamed to the last leaf', () => {
    const [child] = forestOf(2).trees[0]?.roots ?? [];
    const { trees } = mergePrefixes([forestOf(1, { children: child ? [child] : [] })], idOf);
    expect(trees[0]?.roots[0]?.children[0]?.id).toBe('named-2');
  });
});

describe('the advice of several isolates', () => {
  it('adds up what the same block costs, with its tokens on average', () => {
    const [merged, ...others] = mergeAdvice([adviceOf(), adviceOf({ requests: 30, tokensBehind: 2_000 })]);
    expect(others).toEqual([]);
    expect(merged).toMatchObject({ requests: 40, changes: 18, tokensBehind: 1_750, requestsPerDay: 200 });
    const [alone] = mergeAdvice([adviceOf({ tokensBehind: 1_750, requestsPerDay: 200 })]);
    expect(merged?.wastedUsdPerDay).toBeCloseTo(alone?.wastedUsdPerDay ?? Number.NaN, 9);
  });

  it('keeps blocks of other tenants, models and places apart, the dearest first', () => {
    const all = [adviceOf(), adviceOf({ tenant: 'globex' }), adviceOf({ place: 'tools', tokensBehind: 9_000 })];
    expect(mergeAdvice(all).map(({ tenant, place }) => [tenant, place])).toEqual([
      ['acme', 'tools'],
      ['acme', 'system[0]'],
      ['globex', 'system[0]'],
    ]);
  });
});
