import { describe, expect, it } from 'vitest';
import { isError, requestRow } from '../../src/console/finished-exchange.ts';
import { noteOf, usageOf } from '../pipeline/scripted.ts';
import { finishedOf, ZERO_WALL_MS } from './records.ts';

const usage = usageOf({ uncachedInput: 100, cacheRead: 800, cacheWrite5m: 60, cacheWrite1h: 40, output: 9 });

describe('an exchange that is over', () => {
  it('has times of day and durations instead of the clock’s', () => {
    const attempts = [noteOf({ sentAtMs: 5_010, endedAtMs: 5_900 })];
    const timings = { firstContentAtMs: 5_500, queueMs: 4 };
    const { story, queueMs } = finishedOf({ receivedAtMs: 5_000, endedAtMs: 6_000, attempts, timings });
    expect(story).toMatchObject({ receivedAtMs: ZERO_WALL_MS + 5_000, durationMs: 1_000, ttftMs: 500, attempts: 1 });
    expect(story.calls).toEqual([{ upstream: 'main', outcome: 'ok', status: 200, atMs: 10, durationMs: 890 }]);
    expect(queueMs).toBe(4);
  });

  it('counts all of its input, and what it cost and saved', () => {
    const { story, writePremiumUsd } = finishedOf({ usage });
    const tokens = { uncached: 100, cacheRead: 800, cacheWrite5m: 60, cacheWrite1h: 40, output: 9 };
    expect(story).toMatchObject({ inputTokens: 1_000, outputTokens: 9, cache: 'hit', tokens });
    expect(story.costUsd).toBeGreaterThan(0);
    expect(writePremiumUsd).toBeGreaterThan(0);
  });

  it('knows no tokens and no cost where the upstream said nothing', () => {
    const nothing = { inputTokens: null, outputTokens: null, costUsd: null, savedUsd: null, tokens: null };
    expect(finishedOf().story).toMatchObject(nothing);
    expect(finishedOf({ model: 'qwen3-coder', usage }).story.costUsd).toBeNull();
  });

  it('tells what the cache did as the plan told it, and of nothing expected that it was 0', () => {
    const cacheStory = {
      result: 'partial' as const,
      reason: 'prefix_changed',
      at: 'system[1]',
      byte: 812,
      added: [{ place: 'system[1]', ttl: '5m', why: 'head' }],
      flight: 'follower',
      expected: { readTokens: 7 },
    };
    const { story } = finishedOf({ usage, cacheStory });
    expect(story).toMatchObject({ cache: 'partial', cacheReason: 'prefix_changed' });
    const expected = { readTokens: 7, write5mTokens: 0, write1hTokens: 0, uncachedTokens: 0 };
    expect(story.cacheStory).toEqual({ ...cacheStory, expected });
  });

  it.each([
    ['a refusal', { status: 429, end: 'refused', refusal: 'queue_full' }, 'caller', true],
    ['an upstream’s error', { status: 529 }, 'upstream', true],
    ['a stream cut short', { end: 'truncated' }, 'upstream', true],
    ['a bug', { status: 500, end: 'refused', refusal: 'internal' }, 'gateway', true],
    ['a caller that left', { status: 499, end: 'client_abort' }, 'caller', false],
    ['an answer', {}, null, false],
  ] as const)('of %s: whose fault, and whether an error', (_what, part, fault, counts) => {
    const { story } = finishedOf(part);
    expect([story.fault, isError(story)]).toEqual([fault, counts]);
  });

  it('is a line of a list without what only its story tells', () => {
    const { story } = finishedOf({ usage });
    const row = requestRow(story);
    expect(story).toMatchObject(row);
    expect(Object.keys(story).filter((key) => !(key in row))).toEqual([
      'isStream',
      'refusal',
      'timeline',
      'tokens',
      'cacheStory',
      'calls',
    ]);
  });

  it('keeps no more of a model’s name than anybody reads: a caller may send a megabyte', () => {
    expect(finishedOf({ model: 'm'.repeat(1_000_000) }).story.model).toHaveLength(100);
  });
});
