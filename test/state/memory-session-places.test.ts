import { describe, expect, it } from 'vitest';
import type { Place } from '../../src/core/choose-upstream.ts';
import { createMemorySessionPlaces } from '../../src/state/memory-session-places.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const MINUTE_MS = 60_000;
const at = (id: string): Place => ({ upstreamId: id, cacheDomain: id, holds: false });

function places(maxSessions?: number) {
  const clock = createFakeClock();
  const memory = createMemorySessionPlaces({ nowMs: clock.nowMs, ...(maxSessions && { maxSessions }) });
  return { clock, memory };
}

describe('places of sessions', () => {
  it('leave nothing behind when they are forgotten', async () => {
    const { clock, memory } = places();
    memory.remember(1, at('a'));
    memory.remember(2, at('a'));
    await clock.advance(60 * MINUTE_MS + 1);
    memory.find(1);
    expect(memory.size).toBe(0);
  });

  it('never outnumber their bound: the one used longest ago goes', () => {
    const { memory } = places(2);
    memory.remember(1, at('a'));
    memory.remember(2, at('a'));
    memory.remember(1, at('a'));
    memory.remember(3, at('a'));
    expect([1, 2, 3].filter((key) => memory.find(key))).toStrictEqual([1, 3]);
    expect(memory.size).toBe(2);
  });
});
