import { describe, expect, it } from 'vitest';
import { explainMiss, renderExplanation, type BilledInput, type KnownPrefix } from '../../src/prompt/explain.ts';
import { prefixOfBody, text, user } from './prefixes.ts';

const { positions, toolsEnd, systemEnd } = prefixOfBody({
  tools: [{ name: 'a', input_schema: {} }, { name: 'b', input_schema: {} }], // prettier-ignore
  system: [text('one'), text('two')],
  messages: [user('Q1'), { role: 'assistant', content: [text('A1')] }, user('Q2')],
});

/** Nothing was ever seen of it; 10,000 tokens, of which as many were billed. */
const UNKNOWN: KnownPrefix = {
  positions,
  toolsEnd,
  systemEnd,
  seenDepth: 0,
  seenIsJoint: false,
  liveDepth: 0,
  liveTokens: 0,
  writtenDepth: 0,
  pendingDepth: 0,
  isLiveReachable: true,
  elsewhere: null,
  tokens: 10_000,
  minimumTokens: 1_024,
};
const NOTHING_READ: BilledInput = { totalTokens: 10_000, readTokens: 0 };
const LIVE = { liveDepth: 4, liveTokens: 8_000, seenDepth: 4, seenIsJoint: true, writtenDepth: 4 };

describe('why less was read', () => {
  it.each<[string, Partial<KnownPrefix>, Partial<BilledInput>, string]>([
    ['it is new', {}, {}, 'first_seen'],
    ['it is too short, as billed, whatever was estimated', { tokens: 2_000 }, { totalTokens: 900 }, 'below_minimum'],
    ['an entry should have been there and within reach', LIVE, {}, 'evicted'],
    ['a part of what should have been there was read', LIVE, { readTokens: 2_000 }, 'evicted'],
    ['an entry is there, out of reach of every marker', { ...LIVE, isLiveReachable: false }, {}, 'lookback'],
    ['all that lives was read: the rest is new', LIVE, { readTokens: 8_000 }, 'first_seen'],
    [
      'all that lives was read, in an estimate that is a fifth off',
      LIVE,
      { totalTokens: 8_000, readTokens: 6_400 },
      'first_seen',
    ],
    ['somebody is writing it', { pendingDepth: 4, seenDepth: 4 }, {}, 'not_yet_readable'],
    ['it was written and its time has run out', { seenDepth: 4, writtenDepth: 4 }, {}, 'expired'],
    [
      'a part of it lives, a longer part has run out',
      { ...LIVE, writtenDepth: 6, seenDepth: 6 },
      { readTokens: 8_000 },
      'expired',
    ],
    ['its head is known with another model', { elsewhere: 'model' }, {}, 'model_changed'],
    [
      'its head is known with other parameters, and its tools as well',
      { elsewhere: 'params', seenDepth: 2 },
      {},
      'params_changed',
    ],
    ['its head is known in another domain', { elsewhere: 'domain' }, {}, 'other_domain'],
    ['its head was sent, and never a marker with it', { seenDepth: 4, seenIsJoint: true }, {}, 'first_seen'],
    ['a conversation goes on where it ended', { seenDepth: 6, seenIsJoint: true }, {}, 'first_seen'],
    ['the very same prompt was sent without a marker', { seenDepth: 7 }, {}, 'first_seen'],
  ])('because %s', (_why, known, billed, reason) => {
    expect(explainMiss({ ...UNKNOWN, ...known }, { ...NOTHING_READ, ...billed })).toEqual({
      reason,
      at: null,
      byte: null,
    });
  });

  it.each<[string, Partial<KnownPrefix>, string, number, string]>([
    ['the first tool', { elsewhere: 'first' }, 'tools_changed', 0, 'tools[0]'],
    ['the second tool', { seenDepth: 1 }, 'tools_changed', 1, 'tools[1]'],
    ['the first block of system', { seenDepth: 2 }, 'prefix_changed', 2, 'system[0]'],
    ['the second block of system', { seenDepth: 3 }, 'prefix_changed', 3, 'system[1]'],
    ['an answer in the middle of a conversation', { seenDepth: 5 }, 'prefix_changed', 5, 'messages[1].content[0]'],
  ])('because %s changed: names it and the byte where it begins', (_what, known, reason, depth, at) => {
    const byte = positions[depth]?.start;
    expect(explainMiss({ ...UNKNOWN, ...known }, NOTHING_READ)).toEqual({ reason, at, byte });
  });

  it('is written as the header has it', () => {
    expect(renderExplanation({ reason: 'prefix_changed', at: 'system[1]', byte: 812 })).toBe(
      '; reason=prefix-changed; at=system[1]; byte=812',
    );
    expect(renderExplanation({ reason: 'not_yet_readable', at: null, byte: null })).toBe('; reason=not-yet-readable');
  });
});
