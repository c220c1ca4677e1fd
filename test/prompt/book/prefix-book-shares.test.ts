import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_USAGE } from '../../../src/core/usage.ts';
import { segmentShares, type Cut } from '../../../src/prompt/book/prefix-book-shares.ts';

const estimated = (tokens: number): Cut => ({ tokens, known: 'estimated' });
const billed = (tokens: number): Cut => ({ tokens, known: 'billed' });

function shared(read: number, write1h: number, write5m: number, cuts: readonly (number | Cut)[]): string[] {
  const usage = { ...NO_USAGE, cacheRead: read, cacheWrite1h: write1h, cacheWrite5m: write5m };
  return segmentShares(
    usage,
    cuts.map((cut) => (typeof cut === 'number' ? estimated(cut) : cut)),
  ).map(
    ({ end, readTokens, write1hTokens, write5mTokens }) =>
      `to ${end.tokens}: read ${readTokens}, 1h ${write1hTokens}, 5m ${write5mTokens}`,
  );
}

describe('what was read and written falls to the segments of a prompt', () => {
  it.each<[string, Parameters<typeof shared>, string[]]>([
    ['a first request writes all of them', [0, 0, 9_000, [4_000, 9_000]], ['to 4000: read 0, 1h 0, 5m 4000', 'to 9000: read 0, 1h 0, 5m 5000']],
    ['the next reads what it has in common with it', [4_000, 0, 5_000, [4_000, 9_000]], ['to 4000: read 4000, 1h 0, 5m 0', 'to 9000: read 0, 1h 0, 5m 5000']],
    ['what was read beyond the last cut falls to none', [50_000, 0, 1_000, [4_000, 9_000]], ['to 4000: read 4000, 1h 0, 5m 0', 'to 9000: read 5000, 1h 0, 5m 0']],
    ['an hour is written before 5 minutes', [4_000, 5_000, 6_000, [4_000, 9_000, 15_000]], ['to 4000: read 4000, 1h 0, 5m 0', 'to 9000: read 0, 1h 5000, 5m 0', 'to 15000: read 0, 1h 0, 5m 6000']],
    ['where nothing was read and written nothing falls', [0, 0, 0, [4_000]], ['to 4000: read 0, 1h 0, 5m 0']],
    ['a cut that was guessed too long ends where reading ended', [4_000, 0, 5_000, [4_150]], ['to 4000: read 4000, 1h 0, 5m 0']],
    ['one that was guessed too short does, too', [4_000, 0, 5_000, [3_850]], ['to 4000: read 4000, 1h 0, 5m 0']],
    ['of two cuts the nearer one ends there', [4_000, 0, 0, [3_850, 4_020]], ['to 3850: read 3850, 1h 0, 5m 0', 'to 4000: read 150, 1h 0, 5m 0']],
    ['a turn written close behind a shared prefix is no part of it', [4_000, 0, 80, [4_060]], ['to 4000: read 4000, 1h 0, 5m 0']],
    ['a cut whose end was billed before is not moved to a turn behind it', [4_060, 0, 80, [billed(4_000)]], ['to 4000: read 4000, 1h 0, 5m 0']],
    ['it is moved to where something ends before it: then it was a turn that was billed', [4_000, 0, 80, [billed(4_060)]], ['to 4000: read 4000, 1h 0, 5m 0']],
    ['a cut far from where reading ended stays', [4_000, 0, 5_000, [6_000]], ['to 6000: read 4000, 1h 0, 5m 2000']],
  ])('%s', (_what, [read, write1h, write5m, cuts], shares) => {
    expect(shared(read, write1h, write5m, cuts)).toEqual(shares);
  }); // prettier-ignore

  it('once: with a cut behind all that was billed, the shares add up to the usage, whatever was guessed', () => {
    const tokens = fc.nat({ max: 100_000 });
    fc.assert(
      fc.property(tokens, tokens, tokens, fc.array(fc.double({ min: 0, max: 300_000, noNaN: true })), (...drawn) => {
        const [cacheRead, cacheWrite1h, cacheWrite5m, guesses] = drawn;
        const cuts = [...guesses, 400_000].sort((one, other) => one - other).map(estimated);
        const shares = segmentShares({ ...NO_USAGE, cacheRead, cacheWrite1h, cacheWrite5m }, cuts);
        const sum = (kind: 'readTokens' | 'write1hTokens' | 'write5mTokens') =>
          shares.reduce((total, share) => total + share[kind], 0);
        expect([sum('readTokens'), sum('write1hTokens'), sum('write5mTokens')]).toEqual([
          cacheRead,
          cacheWrite1h,
          cacheWrite5m,
        ]);
      }),
    );
  });
});
