import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NO_USAGE, type TokenUsage } from '../../../src/core/usage.ts';
import { createTraffic, part } from '../prefix-book-traffic.ts';
import { user } from '../prefixes.ts';

/** Conversations of a few apps, with common tools, instructions and examples, each turn answered with some usage. */
const turns = fc.array(
  fc.record({
    app: fc.nat({ max: 3 }),
    user: fc.nat({ max: 2 }),
    length: fc.integer({ min: 1, max: 3 }),
    tenant: fc.constantFrom('acme', 'zoo'),
    usage: fc.record({
      uncachedInput: fc.nat({ max: 500 }),
      cacheRead: fc.nat({ max: 9_000 }),
      cacheWrite5m: fc.nat({ max: 9_000 }),
      cacheWrite1h: fc.nat({ max: 9_000 }),
    }),
  }),
  { maxLength: 25 },
);

function bodyOf({ app, user: who, length }: { app: number; user: number; length: number }): object {
  const system = [part('All', 1_500), part(`App ${app % 2}`, 1_000)];
  const example = part(`Example ${app}`, 1_200);
  const messages = Array.from({ length }, (_, turn) =>
    turn === 0 ? user([example, part(`User ${who}`, 100)]) : user(`Turn ${turn} of ${who}`),
  );
  return { system, messages };
}

it('every token that usage tells of is counted once, at one prefix or elsewhere', () => {
  fc.assert(
    fc.property(turns, (drawn) => {
      const { prefixes, send } = createTraffic();
      const usages = drawn.map((turn): TokenUsage => send(bodyOf(turn), { tenant: turn.tenant, usage: { ...NO_USAGE, ...turn.usage } })); // prettier-ignore
      const { prefixes: known, elsewhere } = prefixes.read(0);
      const counted = [...known, elsewhere];
      const billed = usages.map(({ cacheRead, cacheWrite5m, cacheWrite1h }) => {
        return { readTokens: cacheRead, writeTokens: cacheWrite5m + cacheWrite1h };
      });
      expect(sumOf(counted)).toEqual(sumOf(billed));
      expect(counted.every(({ readTokens, writeTokens }) => readTokens >= 0 && writeTokens >= 0)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

function sumOf(counted: readonly { readTokens: number; writeTokens: number }[]): readonly [number, number] {
  const read = counted.reduce((sum, { readTokens }) => sum + readTokens, 0);
  const written = counted.reduce((sum, { writeTokens }) => sum + writeTokens, 0);
  return [read, written];
}
