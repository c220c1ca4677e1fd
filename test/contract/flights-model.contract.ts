import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FlightLead, FlightPatience, FlightResult, Flights } from '../../src/state/flights.ts';
import type { ContractStage, MakeStage } from './stage.ts';

const PATIENT: FlightPatience = { sinceSentMs: 60_000, maxMs: 60_000 };

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('come' as const), through: fc.constantFrom(0, 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('fail' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('land' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Follower {
  readonly caller: AbortController;
  state: FlightResult['kind'] | 'waiting';
}

/** Requests on one prefix, through both ports; on the next prefix once it has landed. */
function createDriven({ ports }: ContractStage<Flights>) {
  const followers: Follower[] = [];
  const leads: FlightLead[] = [];
  let prefix = 0;
  const waiting = (): Follower[] => followers.filter(({ state }) => state === 'waiting');
  const follow = (port: Flights): void => {
    const follower: Follower = { caller: new AbortController(), state: 'waiting' };
    followers.push(follower);
    void port.follow(`p${prefix}`, PATIENT, follower.caller.signal).then((result) => {
      follower.state = result.kind;
      if (result.kind === 'promoted') leads.push(result.lead);
    });
  };
  return {
    leads,
    waiting,
    get prefix() {
      return `p${prefix}`;
    },
    count: (state: Follower['state']) => followers.filter((one) => one.state === state).length,
    async come(through: number) {
      const port = ports[through === 0 ? 0 : 1];
      const one = `p${prefix}`;
      const joined = await port.join({ wanted: [one], written: [{ prefix: one, ttl: '5m' }] });
      if (joined.kind === 'lead') leads.push(joined.lead);
      else if (joined.kind === 'follow') {
        follow(port);
        await port.join({ wanted: [one], written: [] }); // there and back: by then the wait has begun
      } else throw new Error(`neither leads nor follows: ${joined.kind}`);
    },
    leave(which: number) {
      const all = waiting();
      all[which % Math.max(1, all.length)]?.caller.abort();
    },
    fail: () => leads.shift()?.failed(),
    land() {
      if (leads.length > 0) prefix++;
      leads.shift()?.landed();
    },
  };
}

async function runSteps(stage: ContractStage<Flights>, steps: readonly Step[]): Promise<void> {
  const driven = createDriven(stage);
  const expected = { leads: 0, waiting: 0, landed: 0, abandoned: 0 };
  const take = async (one: Step): Promise<void> => {
    if (one.kind === 'come') {
      await driven.come(one.through);
      if (expected.leads === 0) expected.leads = 1;
      else expected.waiting++;
    } else if (one.kind === 'leave') {
      driven.leave(one.which);
      if (expected.waiting > 0) expected.abandoned++;
      expected.waiting = Math.max(0, expected.waiting - 1);
    } else if (one.kind === 'fail') {
      driven.fail();
      if (expected.waiting === 0) expected.leads = 0;
      else expected.waiting--; // and is the one that leads
    } else if (expected.leads > 0) {
      driven.land();
      expected.landed += expected.waiting;
      Object.assign(expected, { leads: 0, waiting: 0 });
    }
    const seen = () => ({
      leads: driven.leads.length,
      waiting: driven.waiting().length,
      landed: driven.count('landed'),
      abandoned: driven.count('abandoned'),
    });
    const agrees = (): boolean => JSON.stringify(seen()) === JSON.stringify(expected);
    await stage.until('one leads, or nobody is there', agrees).catch(() => {});
    expect(seen(), one.kind).toEqual(expected);
    if (one.kind === 'fail' && expected.leads === 0) await isFree();
  };
  /** Where no lead is held, whoever comes leads: also once a failure has crossed to the other port. */
  const isFree = (): Promise<void> =>
    stage.until('nobody writes it', async () => {
      const joined = await Promise.all(stage.ports.map((port) => port.join({ wanted: [driven.prefix], written: [] })));
      return joined.every(({ kind }) => kind === 'none');
    });
  for (const one of steps) await take(one);
  while (expected.leads > 0) await take({ kind: 'fail' });
}

/** Whoever comes, leaves, fails or lands, and through whichever port: one leads as long as somebody is there, and one only. */
export function flightsModelContract(name: string, make: MakeStage<Flights>, runs: number): void {
  it(`${name} have one leader after any steps, as long as anybody is there`, async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const stage = await make();
      try {
        await runSteps(stage, steps);
      } finally {
        await stage.cleanUp();
      }
    });
    await fc.assert(property, { numRuns: runs });
  });
}
