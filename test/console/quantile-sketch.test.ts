import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createQuantileSketch } from '../../src/console/quantile-sketch.ts';

function sketchOf(values: readonly number[]) {
  const sketch = createQuantileSketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

const durations = fc.array(fc.double({ min: 1, max: 600_000, noNaN: true }), { minLength: 1, maxLength: 200 });
const share = fc.constantFrom(0, 0.5, 0.95, 1);

describe('a quantile sketch', () => {
  it('is within 2 % of the value that stands at that rank', () => {
    fc.assert(
      fc.property(durations, share, (values, at) => {
        const exact = values.toSorted((a, b) => a - b)[Math.floor(at * (values.length - 1))] as number;
        expect(Math.abs((sketchOf(values).quantile(at) as number) / exact - 1)).toBeLessThan(0.021);
      }),
    );
  });

  it('adds up: two of them are as good as one that has seen it all', () => {
    fc.assert(
      fc.property(durations, durations, share, (some, others, at) => {
        const both = sketchOf(some);
        both.addAll(sketchOf(others));
        expect(both.quantile(at)).toBe(sketchOf([...some, ...others]).quantile(at));
      }),
    );
  });

  it('has no quantile of nothing, and 0 for what took no time', () => {
    expect(sketchOf([]).quantile(0.5)).toBeNull();
    expect(sketchOf([0, 0.01]).quantile(0.5)).toBe(0);
  });

  it('stays small: a day of answers between 1 ms and 10 minutes has no more than 400 bins', () => {
    const values = Array.from({ length: 100_000 }, (_, index) => 1 + ((index * 7_919) % 600_000));
    expect(sketchOf(values).bins.size).toBeLessThan(400);
  });
});
