import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planCache } from '../../../src/prompt/plan/plan.ts';
import { observeSent } from '../../../src/prompt/learn/observe.ts';
import { createPlacementIndex } from '../../../src/prompt/learn/placement-index.ts';
import { clientMarksAreLegal } from '../../../src/prompt/plan/legal-marks.ts';
import { allMarks, tokensTo, type PromptView } from '../../../src/prompt/prompt-view.ts';
import { settleAnswer } from '../../../src/prompt/learn/settle-answer.ts';
import { createCacheEngine } from '../../../src/simulator/cache/engine.ts';
import { placeAutomatic } from '../../../src/simulator/cache/marks.ts';
import { RULES, view } from '../views.ts';

/** Few conversations of any length that part at few places, so that prompts share prefixes; `thinking` carries no marker. */
const names = fc
  .record({
    who: fc.constantFrom('x', 'y'),
    length: fc.nat(40),
    own: fc.nat(4),
    branch: fc.constantFrom('p', 'q', 'r'),
  })
  .map(({ who, length, own, branch }) => [
    ...Array.from({ length }, (_, at) => (at % 7 === 6 ? `thinking${at}` : at < 4 ? `head${at}` : `${who}${at}`)),
    ...Array.from({ length: own }, (_, at) => `${branch}${at}`),
  ]);
const ttl = fc.constantFrom('5m' as const, '1h' as const);

const prompt: fc.Arbitrary<PromptView> = fc
  .record({
    names,
    systemEnd: fc.nat(6),
    marks: fc.array(fc.record({ at: fc.nat(44), ttl }), { maxLength: 4 }),
    automatic: fc.option(ttl, { nil: null, freq: 4 }),
    tenant: fc.constantFrom('acme', 'globex'),
    tokensEach: fc.constantFrom(100, 500, 500, 500),
  })
  .map(({ names: all, systemEnd, marks, automatic, tenant, tokensEach }) => {
    const bare = view(all.join(' '));
    return {
      ...bare,
      tenant,
      tokens: all.map((_, at) => (at + 1) * tokensEach),
      systemEnd: Math.min(systemEnd, all.length),
      automatic,
      clientMarks: marks.filter((mark) => mark.at < all.length),
    };
  });

/** Prompts that nobody but us has marked. */
const unmarked = prompt.map((one) => ({ ...one, clientMarks: [], automatic: null }));

const session = <T>(one: fc.Arbitrary<T>) =>
  fc.array(fc.record({ prompt: one, waitMs: fc.constantFrom(0, 1000, 30_000, 290_000, 400_000, 4_000_000) }), {
    minLength: 10,
    size: 'max',
    maxLength: 50,
  });

const rules = fc.record({
  minimumTokens: fc.constantFrom(512, 1024, 4096),
  read: fc.constantFrom(0.1, 0.05, 0.025),
  write5m: fc.constant(1.25),
  write1h: fc.constant(2),
  prolong: fc.constantFrom(true, false, 'learn' as const),
});

describe('every plan', () => {
  test('is taken by the simulator, or leaves a body alone that it would refuse anyway', () => {
    fc.assert(
      fc.property(session(prompt), rules, (steps, someRules) => {
        const index = createPlacementIndex({ maxPositions: 200 });
        const engine = createCacheEngine({ prolong: false });
        let nowMs = 0;
        for (const step of steps) {
          nowMs += step.waitMs;
          const plan = planCache(index, step.prompt, someRules, nowMs);
          const outcome = engine.peek(engineRequest(step.prompt, allMarks(step.prompt, plan.marks), nowMs));
          const legal = clientMarksAreLegal(step.prompt) && automaticIsTaken(step.prompt, plan.marks.length);
          if (legal) expect(outcome.kind).toBe('accepted');
          else expect(plan.marks).toEqual([]);
          settleAnswer(index, observeSent(index, step.prompt, someRules, plan.marks, nowMs), null);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('puts nothing below the minimum, nothing on a position twice, and gives each marker a reason', () => {
    fc.assert(
      fc.property(session(prompt), rules, (steps, someRules) => {
        const index = createPlacementIndex({ maxPositions: 200 });
        let nowMs = 0;
        for (const step of steps) {
          nowMs += step.waitMs;
          const { marks } = planCache(index, step.prompt, someRules, nowMs);
          const places = [...step.prompt.clientMarks, ...marks].map((mark) => mark.at);
          for (const mark of marks) {
            expect(tokensTo(step.prompt, mark.at + 1)).toBeGreaterThanOrEqual(someRules.minimumTokens);
            expect(places.filter((at) => at === mark.at)).toHaveLength(1);
            expect(mark.why).toMatch(/^(live|system|head|seen|stable|tail|keep|probe)$/);
          }
          settleAnswer(index, observeSent(index, step.prompt, someRules, marks, nowMs), null);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('expects exactly what the simulator bills, and never misses the deepest entry it knows', () => {
    fc.assert(
      fc.property(session(unmarked), fc.boolean(), (steps, prolong) => {
        const ours = { ...RULES, prolong };
        const index = createPlacementIndex({ maxPositions: 20_000 });
        const engine = createCacheEngine({ prolong });
        let nowMs = 0;
        for (const step of steps) {
          nowMs += step.waitMs;
          const plan = planCache(index, step.prompt, ours, nowMs);
          const outcome = engine.begin(engineRequest(step.prompt, plan.marks, nowMs));
          if (outcome.kind === 'refused') throw new Error(outcome.refusal.kind);
          const { usage } = outcome.lookup;
          expect(plan.expected).toMatchObject({ ...usage });
          engine.commit(outcome.lookup);
          const writtenTokens = usage.write5mTokens + usage.write1hTokens;
          settleAnswer(index, observeSent(index, step.prompt, ours, plan.marks, nowMs), { ...usage, writtenTokens });
        }
      }),
      { numRuns: 100 },
    );
  });

  test('leaves the index as it was: planning twice gives the same plan', () => {
    fc.assert(
      fc.property(session(prompt), rules, (steps, someRules) => {
        const index = createPlacementIndex({ maxPositions: 200 });
        let nowMs = 0;
        for (const step of steps) {
          nowMs += step.waitMs;
          const before = structuredClone(index);
          const plan = planCache(index, step.prompt, someRules, nowMs);
          expect(index).toEqual(before);
          expect(planCache(index, step.prompt, someRules, nowMs)).toEqual(plan);
          settleAnswer(index, observeSent(index, step.prompt, someRules, plan.marks, nowMs), null);
        }
      }),
      { numRuns: 10 },
    );
  });
});

/** Only an explicit marker beside the automatic one can be refused where our count is legal: on a clash, seen before. */
function automaticIsTaken(one: PromptView, added: number): boolean {
  if (one.automatic === null) return true;
  const positions = enginePositions(one);
  const placed = placeAutomatic(positions, one.clientMarks, one.automatic);
  return placed.kind !== 'refused' || added === 0;
}

function enginePositions(one: PromptView) {
  return Array.from({ length: one.hashes.length }, (_, at) => ({
    hash: String(one.hashes[at]),
    tokens: tokensTo(one, at + 1) - tokensTo(one, at),
    markable: one.markable[at] === 1,
  }));
}

function engineRequest(one: PromptView, marks: readonly { at: number; ttl: '5m' | '1h' }[], startedAtMs: number) {
  return {
    domain: one.key,
    minTokens: RULES.minimumTokens,
    positions: enginePositions(one),
    marks: marks.map(({ at, ttl: life }) => ({ at, ttl: life })),
    startedAtMs,
  };
}
