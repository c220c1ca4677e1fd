import { describe, expect, test } from 'vitest';
import type { Cut } from '../../../src/prompt/plan/cuts.ts';
import { climb, type LadderGround } from '../../../src/prompt/plan/ladder.ts';
import { RULES } from '../views.ts';

const cut = (depth: number, tokens: number, short: number, long = 0, longGapsAhead = 0): Cut => ({
  kind: 'tail',
  depth,
  tokens,
  short,
  long,
  longGapsAhead,
});

const GROUND: LadderGround = {
  floorTokens: 0,
  pendingTokens: 0,
  unprotectedTokens: 0,
  hourBelow: true,
  prolong: false,
  trust: 1,
  growths: [],
};

describe('how deep to write', () => {
  test('a write pays from a return probability of 0.25 / 1.15 on', () => {
    expect(climb([cut(5, 5000, 0.21)], GROUND, RULES).shortDepth).toBe(0);
    expect(climb([cut(5, 5000, 0.23)], GROUND, RULES).shortDepth).toBe(5);
  });

  test('a head is written although the tail above it is not', () => {
    expect(climb([cut(3, 3000, 0.9), cut(9, 9000, 0.05)], GROUND, RULES)).toMatchObject({
      shortDepth: 3,
      hourDepth: 0,
    });
  });

  test('a likely tail pays for an unlikely stretch below it', () => {
    const cuts = [cut(3, 1000, 0.5), cut(4, 2000, 0.2), cut(9, 9000, 0.2), cut(10, 30_000, 0.9)];
    expect(climb(cuts, GROUND, RULES).shortDepth).toBe(10);
  });

  test('an hour pays where 1.15 times the long gaps ahead exceed 0.75', () => {
    expect(climb([cut(5, 5000, 0.5, 0.2, 0.6)], GROUND, RULES)).toMatchObject({ hourDepth: 0, shortDepth: 5 });
    expect(climb([cut(5, 5000, 0.5, 0.2, 0.7)], GROUND, RULES)).toMatchObject({ hourDepth: 5, shortDepth: 0 });
  });

  test('an hour on top of 5 minutes is not bought under the cautious reading', () => {
    const ground = { ...GROUND, floorTokens: 20_000, unprotectedTokens: 20_000, hourBelow: false };
    expect(climb([cut(5, 21_000, 0.5, 0.3, 3)], ground, RULES)).toMatchObject({ hourDepth: 0, shortDepth: 5 });
  });

  test('under the prolonging reading it is, and waits for a smaller growth where one is likely', () => {
    const ground = { ...GROUND, prolong: true, floorTokens: 20_000, unprotectedTokens: 20_000, hourBelow: false };
    const small = climb([cut(5, 20_500, 0.8, 0.1, 1)], { ...ground, growths: [500, 500, 4000] }, RULES);
    expect(small).toMatchObject({ hourDepth: 5, why: 'keep' });
    const large = climb([cut(5, 28_000, 0.9, 0.05, 1)], { ...ground, growths: [500, 500, 500] }, RULES);
    expect(large).toMatchObject({ hourDepth: 0, shortDepth: 5 });
  });

  test('what another request writes already is not worth writing again', () => {
    expect(climb([cut(5, 5000, 0.9)], { ...GROUND, pendingTokens: 5000 }, RULES).shortDepth).toBe(0);
  });

  test('cheaper reads make a write pay sooner', () => {
    const rare = [cut(5, 5000, 0.21)];
    expect(climb(rare, GROUND, { ...RULES, read: 0.025 }).shortDepth).toBe(5);
  });

  test('where a TTL is prescribed no other is planned', () => {
    const often = [cut(5, 5000, 0.6, 0.3, 3)];
    expect(climb(often, GROUND, { ...RULES, ttl: '5m' })).toMatchObject({ hourDepth: 0, shortDepth: 5 });
    expect(climb([cut(5, 5000, 0.9)], GROUND, { ...RULES, ttl: '1h' })).toMatchObject({ hourDepth: 5, shortDepth: 0 });
    expect(climb([cut(5, 5000, 0.4)], GROUND, { ...RULES, ttl: '1h' })).toMatchObject({ hourDepth: 0, shortDepth: 0 });
  });
});
