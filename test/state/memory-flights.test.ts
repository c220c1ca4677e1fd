import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlightLead, FlightResult, Flights, FlightWrite } from '../../src/state/flights.ts';
import { createMemoryFlights } from '../../src/state/memory-flights.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

/** To the millisecond; what else is promised of flights is in test/contract. */
describe('a flight in memory', () => {
  let clock: FakeClock;
  let flights: Flights;
  const never = new AbortController().signal;

  beforeEach(() => {
    clock = createFakeClock();
    flights = createMemoryFlights(clock);
  });
  afterEach(() => expect(clock.pending).toBe(0));

  const writes = (...prefixes: string[]): FlightWrite[] => prefixes.map((prefix) => ({ prefix, ttl: '5m' }));
  async function lead(...written: string[]): Promise<FlightLead> {
    const joined = await flights.join({ wanted: written, written: writes(...written) });
    if (joined.kind !== 'lead') throw new Error(`does not lead: ${joined.kind}`);
    return joined.lead;
  }
  const follow = (prefix: string, sinceSentMs = 5_000, signal = never, maxMs = 10_000): Promise<FlightResult> =>
    flights.follow(prefix, { sinceSentMs, maxMs }, signal);
  const leadOf = (result: FlightResult): FlightLead => {
    if (result.kind !== 'promoted') throw new Error(`not promoted: ${result.kind}`);
    return result.lead;
  };

  it('lets a follower go when its patience ends, and the rest wait on', async () => {
    const leader = await lead('a');
    const [impatient, patient] = [follow('a', 100), follow('a')];
    await clock.advance(100);
    expect(await impatient).toStrictEqual({ kind: 'timed_out' });
    leader.landed();
    expect(await patient).toStrictEqual({ kind: 'landed' });
  });

  it('is waited for from when the leader sent, not from when it began to wait for its turn', async () => {
    const leader = await lead('a');
    const follower = follow('a', 100);
    await clock.advance(90);
    leader.sent();
    await clock.advance(99);
    leader.landed();
    expect(await follower).toStrictEqual({ kind: 'landed' });
  });

  it('is waited for anew when another leads, but never longer than the bound', async () => {
    const leader = await lead('a');
    const [first, patient, bounded] = [follow('a'), follow('a', 100), follow('a', 100, never, 120)];
    await clock.advance(90);
    leader.failed();
    const promoted = leadOf(await first);
    await clock.advance(30);
    expect(await bounded).toStrictEqual({ kind: 'timed_out' });
    await clock.advance(69);
    promoted.landed();
    expect(await patient).toStrictEqual({ kind: 'landed' });
  });
});
