import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlightResult, Flights } from '../../src/state/flights.ts';
import { createMemoryFlights } from '../../src/state/memory-flights.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

describe('flights', () => {
  let clock: FakeClock;
  let flights: Flights;
  const never = new AbortController().signal;

  beforeEach(() => {
    clock = createFakeClock();
    flights = createMemoryFlights(clock);
  });
  afterEach(() => expect(clock.pending).toBe(0));

  it('lands for all followers when the leader has its first content, and is over then', async () => {
    const lead = flights.lead(['a', 'ab'], clock.nowMs());
    const followers = [flights.follow('ab', 5_000, never), flights.follow('a', 5_000, never)];
    lead.landed();
    expect(await Promise.all(followers)).toStrictEqual([{ kind: 'landed' }, { kind: 'landed' }]);
    expect(flights.find(['a', 'ab'])).toBeNull();
  });

  it('is found by its deepest prefix', () => {
    const lead = flights.lead(['a', 'ab'], 7);
    expect(flights.find(['a', 'ab', 'abc'])).toStrictEqual({ prefix: 'ab', startedAtMs: 7 });
    lead.landed();
  });

  it('promotes the follower that waited longest when the leader fails; the others wait for that one', async () => {
    const lead = flights.lead(['a'], 0);
    const first = flights.follow('a', 5_000, never);
    const second = flights.follow('a', 5_000, never);
    lead.failed();
    const promoted = await first;
    expect(promoted.kind).toBe('promoted');
    expect(flights.find(['a'])).not.toBeNull();
    (promoted as Extract<FlightResult, { kind: 'promoted' }>).lead.landed();
    expect(await second).toStrictEqual({ kind: 'landed' });
  });

  it('is over when a leader fails and nobody follows', () => {
    flights.lead(['a'], 0).failed();
    expect(flights.find(['a'])).toBeNull();
  });

  it('lets a follower go when its patience ends, and the rest wait on', async () => {
    const lead = flights.lead(['a'], 0);
    const impatient = flights.follow('a', 100, never);
    const patient = flights.follow('a', 5_000, never);
    await clock.advance(100);
    expect(await impatient).toStrictEqual({ kind: 'timed_out' });
    lead.landed();
    expect(await patient).toStrictEqual({ kind: 'landed' });
  });

  it('lets a follower whose caller left go at once, and never promotes it', async () => {
    const lead = flights.lead(['a'], 0);
    const caller = new AbortController();
    const gone = flights.follow('a', 5_000, caller.signal);
    const next = flights.follow('a', 5_000, never);
    caller.abort();
    expect(await gone).toStrictEqual({ kind: 'abandoned' });
    lead.failed();
    const promoted = await next;
    expect(promoted.kind).toBe('promoted');
    (promoted as Extract<FlightResult, { kind: 'promoted' }>).lead.failed();
  });

  it('ignores what a leader says after the first word', async () => {
    const lead = flights.lead(['a'], 0);
    lead.landed();
    const other = flights.lead(['a'], 1);
    lead.failed();
    lead.landed();
    expect(flights.find(['a'])).toStrictEqual({ prefix: 'a', startedAtMs: 1 });
    other.failed();
  });

  it('does not take over a prefix that somebody writes already', () => {
    const lead = flights.lead(['a'], 0);
    const deeper = flights.lead(['a', 'ab'], 1);
    deeper.landed();
    expect(flights.find(['a', 'ab'])).toStrictEqual({ prefix: 'a', startedAtMs: 0 });
    lead.landed();
  });

  it('has nothing to wait for where nobody writes', async () => {
    expect(await flights.follow('a', 5_000, never)).toStrictEqual({ kind: 'landed' });
  });
});
