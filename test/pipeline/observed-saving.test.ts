import { describe, expect, it } from 'vitest';
import { observedSavingUsd } from '../../src/pipeline/cache/observed-saving.ts';
import type { PlanForecast } from '../../src/prompt/prompt-view.ts';
import { usageOf } from './scripted.ts';

/** 3 USD a million input tokens. */
const MODEL = 'claude-sonnet-4-6';
const forecast = (part: Partial<PlanForecast>): PlanForecast => ({
  readTokens: 0,
  write5mTokens: 0,
  write1hTokens: 0,
  uncachedTokens: 0,
  laterSavingTokens: 0,
  ...part,
});

describe('what a plan would have saved', () => {
  it('is the price of what it would have read, less the price of reading it', () => {
    const usage = usageOf({ uncachedInput: 1_000_000 });
    expect(observedSavingUsd(MODEL, usage, forecast({ readTokens: 1_000_000 }))).toBeCloseTo(3 * 0.9);
  });

  it('is below zero for what it would have written first', () => {
    const usage = usageOf({ uncachedInput: 1_000_000 });
    expect(observedSavingUsd(MODEL, usage, forecast({ write5mTokens: 500_000, uncachedTokens: 500_000 }))).toBeCloseTo(
      -0.375,
    );
    expect(observedSavingUsd(MODEL, usage, forecast({ write1hTokens: 1_000_000 }))).toBeCloseTo(-3);
  });

  it('is in the tokens that were billed, whatever the forecast took them for', () => {
    const usage = usageOf({ uncachedInput: 2_000_000 });
    expect(observedSavingUsd(MODEL, usage, forecast({ readTokens: 600, uncachedTokens: 600 }))).toBeCloseTo(2.7);
  });

  it('is nothing where the caller’s own markers read as much', () => {
    const usage = usageOf({ cacheRead: 900_000, uncachedInput: 100_000, output: 5 });
    expect(observedSavingUsd(MODEL, usage, forecast({ readTokens: 900_000, uncachedTokens: 100_000 }))).toBeCloseTo(0);
  });

  it('is unknown for a model without a price, and nothing for an empty prompt', () => {
    expect(
      observedSavingUsd('claude-of-tomorrow', usageOf({ uncachedInput: 5 }), forecast({ readTokens: 5 })),
    ).toBeNull();
    expect(observedSavingUsd(MODEL, usageOf({}), forecast({}))).toBe(0);
  });
});
