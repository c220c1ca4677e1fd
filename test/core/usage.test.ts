import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldUsage, NO_USAGE, totalInput } from '../../src/core/usage.ts';

const started = foldUsage(NO_USAGE, {
  input_tokens: 10,
  cache_read_input_tokens: 20,
  cache_creation_input_tokens: 70,
  cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 40 },
  output_tokens: 1,
  service_tier: 'batch',
  inference_geo: 'us',
  speed: 'fast',
});

describe('foldUsage', () => {
  it('reads every counter and everything that multiplies the price', () => {
    expect(started).toEqual({
      uncachedInput: 10,
      cacheRead: 20,
      cacheWrite5m: 30,
      cacheWrite1h: 40,
      output: 1,
      serviceTier: 'batch',
      inferenceGeo: 'us',
      speed: 'fast',
    });
  });

  it.each([
    [
      'replaces counters by later ones: they are cumulative',
      { input_tokens: 11, output_tokens: 5 },
      { uncachedInput: 11, output: 5 },
    ],
    [
      'keeps what a later report gives as null',
      { input_tokens: null, cache_read_input_tokens: null, cache_creation_input_tokens: null },
      {},
    ],
    ['keeps what a later report leaves out', { output_tokens: 9 }, { output: 9 }],
    ['replaces a counter by 0', { cache_read_input_tokens: 0 }, { cacheRead: 0 }],
    ['books writes beyond the known 1h part as 5m', { cache_creation_input_tokens: 100 }, { cacheWrite5m: 60 }],
    [
      'never books more 1h writes than there are writes',
      { cache_creation_input_tokens: 25 },
      { cacheWrite5m: 0, cacheWrite1h: 25 },
    ],
    ['keeps the known split where a later one is null', { cache_creation_input_tokens: 70, cache_creation: null }, {}],
    [
      'passes over counters that are no counts',
      { input_tokens: -1, output_tokens: '7', cache_read_input_tokens: Number.NaN },
      {},
    ],
  ])('%s', (_what, reported, changed) => {
    expect(foldUsage(started, reported)).toEqual({ ...started, ...changed });
  });

  it('takes writes without a split for 5m writes', () => {
    expect(foldUsage(NO_USAGE, { cache_creation_input_tokens: 8 })).toEqual({ ...NO_USAGE, cacheWrite5m: 8 });
  });

  it('leaves missing cache fields at 0', () => {
    expect(foldUsage(NO_USAGE, { input_tokens: 3, output_tokens: 4 })).toEqual({
      ...NO_USAGE,
      uncachedInput: 3,
      output: 4,
    });
  });

  it.each([null, undefined, 'much', 7])('keeps what is known where %j is reported', (reported) => {
    expect(foldUsage(started, reported)).toBe(started);
  });

  it('only ever yields counts, and a 5m and a 1h part that add up to the writes, of any two reports', () => {
    const count = fc.oneof(fc.nat(), fc.constantFrom(null, undefined, -1, 'x', {}));
    const report = fc.record(
      {
        input_tokens: count,
        cache_read_input_tokens: count,
        cache_creation_input_tokens: count,
        cache_creation: fc.oneof(fc.constantFrom(null, 5, 'x'), fc.record({ ephemeral_1h_input_tokens: count })),
        output_tokens: count,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(report, report, (first, second) => {
        const usage = foldUsage(foldUsage(NO_USAGE, first), second);
        const { uncachedInput, cacheRead, cacheWrite5m, cacheWrite1h, output } = usage;
        for (const tokens of [uncachedInput, cacheRead, cacheWrite5m, cacheWrite1h, output]) {
          expect(Number.isInteger(tokens) && tokens >= 0).toBe(true);
        }
        const writes = [second, first].map((one) => one.cache_creation_input_tokens);
        const lastWrites = writes.find((tokens) => typeof tokens === 'number' && tokens >= 0) ?? 0;
        expect(cacheWrite5m + cacheWrite1h).toBe(lastWrites);
      }),
    );
  });
});

describe('totalInput', () => {
  it('is what was read, written and neither', () => {
    expect(totalInput(started)).toBe(10 + 20 + 30 + 40);
  });
});
