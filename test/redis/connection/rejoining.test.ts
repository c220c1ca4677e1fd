import { beforeEach, describe, expect, it } from 'vitest';
import { createRejoining, type Rejoining } from '../../../src/redis/connection/rejoining.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';

describe('a replica that was without Redis', () => {
  let clock: FakeClock;
  let rejoining: Rejoining;
  beforeEach(() => {
    clock = createFakeClock();
    rejoining = createRejoining({ clock, leaseMs: 15_000 });
  });

  it('joins at the first answer when it never has before: it holds nothing that others could overlook', () => {
    rejoining.failed();
    expect(rejoining.answered()).toBe('join');
  });

  it('joins at once after a short silence on an unbroken connection', async () => {
    rejoining.answered();
    rejoining.failed();
    await clock.advance(4_900);
    expect(rejoining.answered()).toBe('join');
  });

  it.each([
    ['the silence was long enough for leases to end', false, 5_000],
    ['the connection was lost: it may be another Redis, or an empty one', true, 100],
  ])('registers first what it holds, for as long as others need to, when %s', async (_why, isLost, silenceMs) => {
    rejoining.answered();
    if (isLost) rejoining.lostConnection();
    rejoining.failed();
    await clock.advance(silenceMs);
    expect(rejoining.answered()).toBe('register');
    await clock.advance(1_499);
    expect(rejoining.answered()).toBe('register');
    await clock.advance(1);
    expect(rejoining.answered()).toBe('join');
  });

  it('begins anew when Redis fails while it registers', async () => {
    rejoining.answered();
    rejoining.lostConnection();
    rejoining.failed();
    expect(rejoining.answered()).toBe('register');
    await clock.advance(1_400);
    rejoining.failed();
    await clock.advance(200);
    expect(rejoining.answered()).toBe('register');
    await clock.advance(1_500);
    expect(rejoining.answered()).toBe('join');
  });
});
