import { describe, expect, it } from 'vitest';
import { createHitRatio } from '../../src/metrics/hit-ratio.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const MINUTE_MS = 60_000;

describe('createHitRatio', () => {
  it('is reads as a share of all input tokens, per model', () => {
    const ratio = createHitRatio(createFakeClock());
    ratio.record('opus', 900, 1_000);
    ratio.record('opus', 0, 1_000);
    ratio.record('haiku', 0, 50);
    expect(ratio.ratios()).toEqual(
      new Map([
        ['opus', 0.45],
        ['haiku', 0],
      ]),
    );
  });

  it('forgets after five minutes, and not before nearly that', async () => {
    const clock = createFakeClock();
    const ratio = createHitRatio(clock);
    ratio.record('opus', 10, 10);
    await clock.advance(5 * MINUTE_MS - 1);
    expect(ratio.ratios().get('opus')).toBe(1);
    await clock.advance(1);
    expect(ratio.ratios().has('opus')).toBe(false);
  });

  it('slides: what is older than the window no longer weighs on what is not', async () => {
    const clock = createFakeClock();
    const ratio = createHitRatio(clock);
    ratio.record('opus', 0, 1_000);
    await clock.advance(4 * MINUTE_MS);
    ratio.record('opus', 100, 100);
    expect(ratio.ratios().get('opus')).toBeCloseTo(100 / 1_100, 12);
    await clock.advance(MINUTE_MS);
    expect(ratio.ratios().get('opus')).toBe(1);
  });

  it('still counts the whole window after hours of traffic', async () => {
    const clock = createFakeClock();
    const ratio = createHitRatio(clock);
    for (let slice = 0; slice < 100; slice++) {
      ratio.record('opus', slice < 80 ? 0 : 10, 10);
      await clock.advance(10_000);
    }
    expect(ratio.ratios().get('opus')).toBeCloseTo(20 / 29, 12); // the slice that has just begun is empty
  });

  it('tells the sums that it is made of, for those who add up several', () => {
    const ratio = createHitRatio(createFakeClock());
    ratio.record('opus', 900, 1_000);
    ratio.record('opus', 0, 500);
    expect(ratio.sums()).toEqual(new Map([['opus', { readTokens: 900, inputTokens: 1_500 }]]));
  });

  it('has no ratio for a model without input', () => {
    const ratio = createHitRatio(createFakeClock());
    ratio.record('opus', 0, 0);
    expect(ratio.ratios().size).toBe(0);
  });
});
