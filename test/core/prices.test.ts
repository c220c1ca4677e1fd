import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODELS } from '../../src/core/models.ts';
import { costOf } from '../../src/core/prices.ts';
import { NO_USAGE, totalInput, type TokenUsage } from '../../src/core/usage.ts';

/** The public price list of November 2026, in USD per million tokens, as printed and not as shares of one another. */
const PRICE_LIST: readonly (readonly [string, number, number, number, number, number])[] = [
  // model                 in    out   5m     1h    read
  ['claude-fable-5-2', 8, 40, 10, 16, 0.2],
  ['claude-mythos-5-2', 8, 40, 10, 16, 0.2],
  ['claude-fable-5-1', 10, 50, 12.5, 20, 0.25],
  ['claude-mythos-5-1', 10, 50, 12.5, 20, 0.25],
  ['claude-fable-5', 10, 50, 12.5, 20, 1],
  ['claude-mythos-5', 10, 50, 12.5, 20, 1],
  ['claude-opus-5-5', 4, 20, 5, 8, 0.2],
  ['claude-opus-5', 5, 25, 6.25, 10, 0.5],
  ['claude-opus-4-8', 5, 25, 6.25, 10, 0.5],
  ['claude-opus-4-7', 5, 25, 6.25, 10, 0.5],
  ['claude-opus-4-6', 5, 25, 6.25, 10, 0.5],
  ['claude-opus-4-5', 5, 25, 6.25, 10, 0.5],
  ['claude-opus-4-1', 15, 75, 18.75, 30, 1.5],
  ['claude-opus-4', 15, 75, 18.75, 30, 1.5],
  ['claude-sonnet-5-5', 2, 10, 2.5, 4, 0.1],
  ['claude-sonnet-5', 2, 10, 2.5, 4, 0.2],
  ['claude-sonnet-4-6', 3, 15, 3.75, 6, 0.3],
  ['claude-sonnet-4-5', 3, 15, 3.75, 6, 0.3],
  ['claude-sonnet-4', 3, 15, 3.75, 6, 0.3],
  ['claude-haiku-5-5', 0.1, 0.5, 0.125, 0.2, 0.01],
  ['claude-haiku-4-5', 1, 5, 1.25, 2, 0.1],
  ['claude-3-5-haiku', 0.8, 4, 1, 1.6, 0.08],
];

const usageOf = (part: Partial<TokenUsage>): TokenUsage => ({ ...NO_USAGE, ...part });

function usd(model: string, part: Partial<TokenUsage>): number {
  const cost = costOf(model, usageOf(part));
  if (!cost) throw new Error(`no price for ${model}`);
  return cost.usd;
}

describe('costOf', () => {
  it.each(PRICE_LIST)(
    'prices %s at %d in, %d out, %d and %d to write, %d to read',
    (model, input, output, write5m, write1h, read) => {
      const tokens = 1_000; // below every long-prompt tier
      expect(usd(model, { uncachedInput: tokens })).toBeCloseTo(input / 1_000, 12);
      expect(usd(model, { output: tokens })).toBeCloseTo(output / 1_000, 12);
      expect(usd(model, { cacheWrite5m: tokens })).toBeCloseTo(write5m / 1_000, 12);
      expect(usd(model, { cacheWrite1h: tokens })).toBeCloseTo(write1h / 1_000, 12);
      expect(usd(model, { cacheRead: tokens })).toBeCloseTo(read / 1_000, 12);
    },
  );

  it('knows the price of every model it knows', () => {
    expect(PRICE_LIST.map(([model]) => model)).toEqual(Object.keys(MODELS));
  });

  it('adds up the parts of one answer', () => {
    const usage = { uncachedInput: 1_000, cacheRead: 50_000, cacheWrite5m: 2_000, cacheWrite1h: 3_000, output: 400 };
    const parts = [1_000 * 4, 50_000 * 0.2, 2_000 * 5, 3_000 * 8, 400 * 20];
    expect(usd('claude-opus-5-5', usage)).toBeCloseTo(parts.reduce((sum, part) => sum + part, 0) / 1e6, 12);
  });

  it('multiplies everything by five once a Haiku 5.5 prompt is longer than 100,000 tokens, read ones included', () => {
    const prompt = { uncachedInput: 20_000, cacheRead: 60_000, cacheWrite5m: 10_000, cacheWrite1h: 10_000 };
    const base = (20_000 * 0.1 + 60_000 * 0.01 + 10_000 * 0.125 + 10_000 * 0.2 + 500 * 0.5) / 1e6;
    expect(usd('claude-haiku-5-5', { ...prompt, output: 500 })).toBeCloseTo(base, 12);
    const oneMore = { ...prompt, uncachedInput: 20_001, output: 500 };
    expect(usd('claude-haiku-5-5', oneMore)).toBeCloseTo((base + 0.1 / 1e6) * 5, 12);
  });

  it('charges no other model more for a long prompt', () => {
    for (const [model, input] of PRICE_LIST.filter(([name]) => name !== 'claude-haiku-5-5')) {
      expect(usd(model, { uncachedInput: 900_000 })).toBeCloseTo(0.9 * input, 9);
    }
  });

  it('doubles the price of fast answers where fast mode has a price, by what the answer says', () => {
    const million = { uncachedInput: 1_000_000, speed: 'fast' } as const;
    const prices = PRICE_LIST.map(([model]) => [
      model,
      usd(model, million) / usd(model, { ...million, speed: 'standard' }),
    ]);
    const doubled = prices.filter(([, factor]) => factor === 2).map(([model]) => model);
    expect(doubled).toEqual(['claude-fable-5-2', 'claude-opus-5-5', 'claude-opus-5', 'claude-opus-4-8']);
    expect(prices.filter(([, factor]) => factor !== 2 && factor !== 1)).toEqual([]);
  });

  it('adds a tenth for inference in the US from Claude 4.6 on, and for no other place', () => {
    const million = { uncachedInput: 1_000_000 };
    expect(usd('claude-sonnet-4-6', { ...million, inferenceGeo: 'us' })).toBeCloseTo(3.3, 12);
    expect(usd('claude-sonnet-4-6', { ...million, inferenceGeo: 'global' })).toBeCloseTo(3, 12);
    expect(usd('claude-sonnet-4-5', { ...million, inferenceGeo: 'us' })).toBeCloseTo(3, 12);
    expect(usd('claude-haiku-4-5', { ...million, inferenceGeo: 'us' })).toBeCloseTo(1, 12);
  });

  it('halves the price in a batch, and stacks with the rest', () => {
    expect(usd('claude-opus-5', { output: 1_000_000, serviceTier: 'batch' })).toBeCloseTo(12.5, 12);
    const stacked = { uncachedInput: 200_000, serviceTier: 'batch', inferenceGeo: 'us' };
    expect(usd('claude-haiku-5-5', stacked)).toBeCloseTo(0.2 * 0.1 * 5 * 0.5 * 1.1, 12);
    expect(usd('claude-opus-5', { output: 1_000_000, speed: 'fast', inferenceGeo: 'us' })).toBeCloseTo(55, 12);
  });

  it.each([null, '', 'gpt-6', 'claude', 'claude-opus-5-5-turbo', 'anthropic.claude-opus-5', 'toString', '__proto__'])(
    'has no price, which is not a price of zero, for %j',
    (model) => {
      expect(costOf(model, usageOf({ output: 1_000_000 }))).toBeNull();
    },
  );

  it.each([
    ['claude-haiku-4-5-20251001', 'claude-haiku-4-5'],
    ['claude-opus-4-5-20251101', 'claude-opus-4-5'],
    ['claude-3-5-haiku-20241022', 'claude-3-5-haiku'],
    ['claude-3-5-haiku-latest', 'claude-3-5-haiku'],
    ['claude-sonnet-4-0', 'claude-sonnet-4'],
    ['claude-opus-4-20250514', 'claude-opus-4'],
  ])('prices %s as %s', (dated, model) => {
    expect(costOf(dated, usageOf({ output: 7 }))).toEqual(costOf(model, usageOf({ output: 7 })));
  });
});

describe('savedUsd', () => {
  it('is the price of the same tokens uncached less what they cost', () => {
    const read = costOf('claude-opus-5-5', usageOf({ cacheRead: 1_000_000 }));
    expect(read?.savedUsd).toBeCloseTo(4 - 0.2, 12);
  });

  it('is negative for writes that nobody has read yet', () => {
    expect(costOf('claude-opus-5-5', usageOf({ cacheWrite5m: 1_000_000 }))?.savedUsd).toBeCloseTo(4 - 5, 12);
    expect(costOf('claude-opus-5-5', usageOf({ cacheWrite1h: 1_000_000 }))?.savedUsd).toBeCloseTo(4 - 8, 12);
  });

  it('is nothing without a cache, whatever the output', () => {
    expect(costOf('claude-opus-5', usageOf({ uncachedInput: 123, output: 456 }))?.savedUsd).toBe(0);
  });

  it('and the cost are together what the request would cost without caching, for every model and usage', () => {
    const tokens = fc.nat(300_000);
    const usages = fc.record({
      uncachedInput: tokens,
      cacheRead: tokens,
      cacheWrite5m: tokens,
      cacheWrite1h: tokens,
      output: tokens,
      speed: fc.constantFrom('standard' as const, 'fast' as const),
      inferenceGeo: fc.constantFrom(null, 'us', 'global'),
      serviceTier: fc.constantFrom(null, 'standard', 'batch'),
    });
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(MODELS)), usages, (model, usage) => {
        const cost = costOf(model, usage);
        const uncached = { ...usage, uncachedInput: totalInput(usage), cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
        expect((cost?.usd ?? 0) + (cost?.savedUsd ?? 0)).toBeCloseTo(usd(model, uncached), 9);
      }),
    );
  });
});
