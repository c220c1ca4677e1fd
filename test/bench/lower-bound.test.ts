import { describe, expect, test } from 'vitest';
import { lowerBound } from '../../bench/cache/lower-bound.ts';
import { traceOf } from './traces.ts';

const PRICES = { read: 0.1, write5m: 1.25, write1h: 2, prolong: false };

describe('the lower bound', () => {
  test('of prompts that share nothing is the price without a cache', () => {
    expect(
      lowerBound(
        traceOf([
          [0, 'a b'],
          [10, 'c d'],
        ]),
        PRICES,
      ),
    ).toBe(1);
  });

  test('of a prompt sent twice is one write and one read', () => {
    expect(
      lowerBound(
        traceOf([
          [0, 'a b'],
          [10, 'a b'],
        ]),
        PRICES,
      ),
    ).toBeCloseTo(1.35 / 2);
  });

  test('over a pause of 10 minutes an hour is bought only if three share it', () => {
    expect(
      lowerBound(
        traceOf([
          [0, 'a'],
          [600, 'a'],
        ]),
        PRICES,
      ),
    ).toBe(1);
    expect(
      lowerBound(
        traceOf([
          [0, 'a'],
          [600, 'a'],
          [1200, 'a'],
        ]),
        PRICES,
      ),
    ).toBeCloseTo(2.2 / 3);
  });

  test('requests of one moment cannot read what one of them writes', () => {
    expect(
      lowerBound(
        traceOf([
          [0, 'a'],
          [0.1, 'a'],
          [60, 'a'],
        ]),
        PRICES,
      ),
    ).toBeCloseTo((1.25 + 1 + 0.1) / 3);
  });

  test('prolonging makes an hour free for what is read in time once', () => {
    const trace = traceOf([
      [0, 'a'],
      [60, 'a'],
      [1200, 'a'],
    ]);
    expect(lowerBound(trace, PRICES)).toBeCloseTo(2.2 / 3);
    expect(lowerBound(trace, { ...PRICES, prolong: true })).toBeCloseTo(1.45 / 3);
  });
});
