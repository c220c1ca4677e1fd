import { describe, expect, it } from 'vitest';
import type { FlightLead } from '../../src/state/flights.ts';
import { eventually, within } from '../support/eventually.ts';
import { hasRedisServer } from '../support/redis-server.ts';
import { DEADLINE_MS, joins, useReplicas, type Replica } from './flights-under-test.ts';

/** A generator of its own, so that a run can be repeated. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe.skipIf(!hasRedisServer)('flights of three replicas in a crowd', () => {
  const replicas = useReplicas();
  const REQUESTS = 300;
  const CHAINS = 6;
  const ENDINGS = ['lead', 'follow', 'promoted', 'landed', 'abandoned'];
  /** Of all crowds together: what one of them does depends on how the machine's time falls. */
  const seen = new Map<string, number>();
  const note = (kind: string): void => void seen.set(kind, (seen.get(kind) ?? 0) + 1);

  it.each([1, 2, 3])(
    'never have two leaders, and leave nobody waiting, whatever each request does (seed %i)',
    async (seed) => {
      const random = randomFrom(seed);
      const all = [await replicas.start(), await replicas.start(), await replicas.start()];
      const leaders = new Map<string, number>();
      /** What has landed is cold no more: from then on the next prefix is asked for. */
      const generations = Array.from({ length: CHAINS }, () => 0);
      const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, random() * 12));

      const write = async (chain: number, prefix: string, flight: FlightLead): Promise<void> => {
        const others = leaders.get(prefix) ?? 0;
        if (others > 0) throw new Error(`${others} others lead ${prefix}`);
        leaders.set(prefix, 1);
        await pause();
        if (random() < 0.5) flight.sent();
        await pause();
        leaders.set(prefix, 0);
        if (random() < 0.05) flight.landed();
        else flight.failed();
      };
      const request = async (replica: Replica, chain: number): Promise<void> => {
        await new Promise((resolve) => setTimeout(resolve, random() * 400));
        const prefix = `prefix ${generations[chain]} of ${chain}`;
        const joined = await joins(replica, prefix);
        note(joined.kind);
        if (joined.kind === 'lead') return write(chain, prefix, joined.lead);
        if (joined.kind !== 'follow') return undefined;
        const caller = new AbortController();
        const following = replica.flights.follow(prefix, { sinceSentMs: 60_000, maxMs: 60_000 }, caller.signal);
        if (random() < 0.05) caller.abort();
        else if (random() < 0.2) setTimeout(() => caller.abort(), random() * 60);
        const result = await following;
        note(result.kind);
        return result.kind === 'promoted' ? write(chain, prefix, result.lead) : undefined;
      };

      const requests = Array.from({ length: REQUESTS }, (_, at) => {
        const replica = all[at % all.length] as Replica;
        return request(replica, Math.floor(random() * CHAINS));
      });
      await within('every request is done', DEADLINE_MS, Promise.all(requests));
      expect(seen.get('timed_out')).toBe(undefined);
      await eventually('nobody leads', DEADLINE_MS, async () => {
        return (await replicas.server.redis.keys('*:w:*')).length === 0;
      });
    },
  );

  it('have met everything that can become of a request', () => {
    expect([...seen.keys()]).toEqual(expect.arrayContaining(ENDINGS));
  });
});
