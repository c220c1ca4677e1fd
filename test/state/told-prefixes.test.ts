import { describe, expect, it } from 'vitest';
import { createToldPrefixes } from '../../src/state/told-prefixes.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const SECOND_MS = 1_000;

describe('an entry that this process was told of', () => {
  it('is still news for a second, to requests that were planned before, and no longer after it', async () => {
    const clock = createFakeClock();
    const told = createToldPrefixes(clock);
    told.tell('a', 5_000);
    await clock.advance(SECOND_MS);
    expect(told.knownSinceMs('a')).toBe(0);
    await clock.advance(1);
    expect(told.knownSinceMs('a')).toBe(5_000);
  });

  it('is told anew when it was written anew, and not when another clock tells of the same write', async () => {
    const clock = createFakeClock();
    const told = createToldPrefixes(clock, 2 * SECOND_MS);
    told.tell('a', 5_000);
    await clock.advance(SECOND_MS + 1);
    told.tell('a', 7_000);
    expect(told.knownSinceMs('a')).toBe(5_000);
    told.tell('a', 7_001);
    expect(told.knownSinceMs('a')).toBe(0);
    await clock.advance(SECOND_MS + 1);
    expect(told.knownSinceMs('a')).toBe(7_001);
  });
});
