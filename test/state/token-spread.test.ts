import { expect, it } from 'vitest';
import { createAdaptiveLimit } from '../../src/core/limits/adaptive-limit.ts';
import type { HeaderMap } from '../../src/core/headers.ts';
import { createMemoryUpstreamCapacity } from '../../src/state/memory-upstream-capacity.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

const REQUESTS = 64;
const TOKENS = 20_000;
const PER_MINUTE = 800_000;
const HEAD_AFTER_MS = 1_500;
const HELD_MS = 6_000;

/** An upstream with one token bucket that is full at first; it counts a request when that comes and answers later. */
function createBucketUpstream(clock: FakeClock) {
  let level = PER_MINUTE;
  let atMs = 0;
  const refused: number[] = [];
  return {
    refused,
    receive(tokens: number): () => HeaderMap {
      level = Math.min(PER_MINUTE, level + ((clock.nowMs() - atMs) * PER_MINUTE) / 60_000);
      atMs = clock.nowMs();
      if (tokens > level) refused.push(atMs);
      else level -= tokens;
      const remaining = String(Math.round(level / 1_000) * 1_000);
      const reset = new Date(clock.wallMs() + ((PER_MINUTE - level) / PER_MINUTE) * 60_000).toISOString();
      return () => ({
        'anthropic-ratelimit-input-tokens-limit': String(PER_MINUTE),
        'anthropic-ratelimit-input-tokens-remaining': remaining,
        'anthropic-ratelimit-input-tokens-reset': reset,
      });
    },
  };
}

/** All at once; resolves to when the last one was sent. */
async function burst(actualTokens: (predicted: number) => number) {
  const clock = createFakeClock();
  const upstream = createBucketUpstream(clock);
  const capacity = createMemoryUpstreamCapacity({ clock, createLimit: createAdaptiveLimit });
  capacity.setCeiling('main', 256);
  let sent = 0;
  let lastSentMs = 0;
  const send = async (index: number): Promise<void> => {
    const ask = { tenant: `t${index % 5}`, weight: 1, modelClass: 'opus-4', inputTokens: TOKENS, maxWaitMs: 300_000 };
    const grant = await capacity.acquire('main', ask, new AbortController().signal);
    if (grant.kind !== 'granted') return;
    sent++;
    lastSentMs = clock.nowMs();
    const uncachedTokens = actualTokens(TOKENS);
    const answer = upstream.receive(uncachedTokens);
    clock.after(HEAD_AFTER_MS, () => grant.lease.head(answer()));
    clock.after(HELD_MS, () => grant.lease.release({ kind: 'ok', ttftMs: HEAD_AFTER_MS, uncachedTokens }));
  };
  for (let index = 0; index < REQUESTS; index++) void send(index);
  await clock.advance(300_000);
  expect(sent).toBe(REQUESTS);
  expect(clock.pending).toBe(0);
  return { refused: upstream.refused, lastSentMs };
}

it('a burst of 1.28 million tokens against 800 thousand a minute meets no 429, and takes as long as the bucket does', async () => {
  const { refused, lastSentMs } = await burst((predicted) => predicted);
  const bucketMs = ((REQUESTS * TOKENS - PER_MINUTE) / PER_MINUTE) * 60_000;
  expect(refused).toEqual([]);
  expect(lastSentMs).toBeGreaterThanOrEqual(bucketMs);
  expect(lastSentMs).toBeLessThan(1.1 * bucketMs);
});

it('a burst that needs half of what was predicted is as fast as its real need allows, but for the first answers', async () => {
  const { refused, lastSentMs } = await burst((predicted) => predicted / 2);
  expect(refused).toEqual([]);
  expect(lastSentMs).toBeLessThan(3 * HEAD_AFTER_MS);
});
