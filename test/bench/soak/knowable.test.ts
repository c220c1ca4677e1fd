import { describe, expect, test } from 'vitest';
import { knowableOf, type CallFacts } from '../../../bench/soak/knowable.ts';

const usage = { uncachedTokens: 10, readTokens: 20, write5mTokens: 30, write1hTokens: 40, outputTokens: 50 };
const whole = { uncached: 10, cache_read: 20, cache_write_5m: 30, cache_write_1h: 40, output: 50 };
const opening = { ...whole, output: 1 };
const nothing = { uncached: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: 0 };

function knownOf(outcome: CallFacts['call']['outcome'], facts: Partial<CallFacts> = {}) {
  const call = { outcome, usage };
  return knowableOf({ call, isStream: true, hearing: 'to_the_end', hangUp: 'cancel', ...facts });
}

describe('what a client can know of a bill', () => {
  test('all of an answer that was heard to its end', () => {
    expect(knownOf('complete')).toEqual({ knowledge: 'known', tokens: { low: whole, high: whole } });
  });

  test('that nothing was billed, however the call ended', () => {
    const { tokens } = knownOf('faulted', { call: { outcome: 'faulted', usage: undefined } });
    expect(tokens).toEqual({ low: nothing, high: nothing });
  });

  test('the input and one token of output of a stream that broke', () => {
    expect(knownOf('faulted')).toEqual({ knowledge: 'broken_stream', tokens: { low: opening, high: opening } });
  });

  test('nothing of a JSON answer that broke', () => {
    const { knowledge, tokens } = knownOf('faulted', { isStream: false });
    expect([knowledge, tokens.high]).toEqual(['broken_json', nothing]);
  });

  test('of a stream cancelled with its caller the input, and of the output at least a token', () => {
    for (const outcome of ['aborted', 'complete'] as const) {
      const { knowledge, tokens } = knownOf(outcome, { hearing: 'left_after_content' });
      expect([knowledge, tokens]).toEqual(['cancelled_stream', { low: opening, high: whole }]);
    }
  });

  test('all of a stream whose caller left, where it is drained', () => {
    expect(knownOf('complete', { hearing: 'left_after_content', hangUp: 'drain' }).knowledge).toBe('known');
  });

  test('anything from nothing to all where the caller left before it had seen a thing', () => {
    const { tokens } = knownOf('aborted', { hearing: 'left_unseen' });
    expect(tokens).toEqual({ low: nothing, high: whole });
  });

  test('a token of output even where none was produced by then', () => {
    const call = { outcome: 'aborted' as const, usage: { ...usage, outputTokens: 0 } };
    const { tokens } = knownOf('aborted', { call, hearing: 'left_after_content' });
    expect([tokens.low.output, tokens.high.output]).toEqual([1, 1]);
  });
});
