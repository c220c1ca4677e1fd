import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlightLead, FlightResult, Flights, FlightWrite } from '../../src/state/flights.ts';
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

  const writes = (...prefixes: string[]): FlightWrite[] => prefixes.map((prefix) => ({ prefix, ttl: '5m' }));
  async function lead(...written: string[]): Promise<FlightLead> {
    const joined = await flights.join({ wanted: written, written: writes(...written) });
    if (joined.kind !== 'lead') throw new Error(`does not lead: ${joined.kind}`);
    return joined.lead;
  }
  const follow = (prefix: string, sinceSentMs = 5_000, signal = never, maxMs = 10_000): Promise<FlightResult> =>
    flights.follow(prefix, { sinceSentMs, maxMs }, signal);
  const follows = (...wanted: string[]) => flights.join({ wanted, written: [] });
  const leadOf = (result: FlightResult): FlightLead => {
    if (result.kind !== 'promoted') throw new Error(`not promoted: ${result.kind}`);
    return result.lead;
  };

  it('lands for all followers when the leader has its first content, and is over then', async () => {
    const leader = await lead('a', 'ab');
    const followers = [follow('ab'), follow('a')];
    leader.landed();
    expect(await Promise.all(followers)).toStrictEqual([{ kind: 'landed' }, { kind: 'landed' }]);
    expect(await follows('a', 'ab')).toStrictEqual({ kind: 'none' });
  });

  it('is joined at its deepest prefix', async () => {
    const leader = await lead('a', 'ab');
    expect(await follows('a', 'ab', 'abc')).toStrictEqual({ kind: 'follow', prefix: 'ab' });
    leader.landed();
  });

  it('has one leader, however many come at once', async () => {
    const ask = { wanted: ['a'], written: writes('a') };
    const joined = await Promise.all([flights.join(ask), flights.join(ask), flights.join(ask)]);
    expect(joined.map(({ kind }) => kind)).toStrictEqual(['lead', 'follow', 'follow']);
    if (joined[0]?.kind === 'lead') joined[0].lead.landed();
  });

  it('promotes the follower that waited longest when the leader fails; the others wait for that one', async () => {
    const leader = await lead('a');
    const [first, second] = [follow('a'), follow('a')];
    leader.failed();
    const promoted = leadOf(await first);
    expect((await follows('a')).kind).toBe('follow');
    promoted.landed();
    expect(await second).toStrictEqual({ kind: 'landed' });
  });

  it('is over when a leader fails and nobody follows', async () => {
    (await lead('a')).failed();
    expect(await follows('a')).toStrictEqual({ kind: 'none' });
  });

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

  it('lets a follower whose caller left go at once, and never promotes it', async () => {
    const leader = await lead('a');
    const caller = new AbortController();
    const [gone, next] = [follow('a', 5_000, caller.signal), follow('a')];
    caller.abort();
    expect(await gone).toStrictEqual({ kind: 'abandoned' });
    leader.failed();
    leadOf(await next).failed();
  });

  it('ignores what a leader says after the first word', async () => {
    const leader = await lead('a');
    leader.landed();
    const other = await lead('a');
    leader.failed();
    leader.landed();
    expect(await follows('a')).toStrictEqual({ kind: 'follow', prefix: 'a' });
    other.failed();
  });

  it('does not take over a prefix that somebody writes already', async () => {
    const leader = await lead('a');
    const deeper = await flights.join({ wanted: [], written: writes('a', 'ab') });
    if (deeper.kind === 'lead') deeper.lead.landed();
    expect(await follows('a', 'ab')).toStrictEqual({ kind: 'follow', prefix: 'a' });
    leader.landed();
  });

  it('has nothing to wait for where nobody writes', async () => {
    expect(await follow('a')).toStrictEqual({ kind: 'landed' });
  });
});
