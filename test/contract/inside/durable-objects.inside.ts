import { createExecutionContext, env, waitOnExecutionContext } from 'cloudflare:test';
import { createDurableEngine } from '../../../src/worker/engine/durable-engine.ts';
import type { WorkerEnvironment } from '../../../src/worker/environment.ts';
import type { Remotes } from '../../../src/worker/remote.ts';
import { workerClock } from '../../../src/worker/worker-clock.ts';
import type { StateEngine } from '../../../src/state/engine.ts';
import { sharedCapacityContract } from '../capacity-shared.contract.ts';
import { capacityContract } from '../capacity.contract.ts';
import { sharedFlightsContract } from '../flights-shared.contract.ts';
import { flightsContract } from '../flights.contract.ts';
import { flightsModelContract } from '../flights-model.contract.ts';
import { ledgerContract, sharedLedgerContract } from '../ledger.contract.ts';
import { ownershipContract } from '../ownership.contract.ts';
import { placesContract, sharedPlacesContract } from '../places.contract.ts';
import { slotsLimitContract } from '../slots-limit.contract.ts';
import { slotsModelContract } from '../slots-model.contract.ts';
import { slotsContract } from '../slots.contract.ts';
import { onRealTime, type ContractStage, type MakeStage } from '../stage.ts';

/**
 * Inside workerd, by vitest's plugin: two engines as two isolates have them, on the Durable Objects of the Worker. What is
 * not run here, because this engine does not do it: counting in the isolate and `setLimit` (`localSlotsContract`; the
 * objects count, and each request brings its limit).
 */
let tests = 0;

interface IsolateOptions<Port> {
  readonly standing?: (remotes: Remotes, name: string) => ReturnType<NonNullable<ContractStage<Port>['standing']>>;
  /** What each isolate goes on doing while something is waited for. */
  readonly traffic?: (engine: StateEngine) => Promise<void>;
}

function isolates<Port>(
  portOf: (engine: StateEngine) => Port,
  { standing, traffic }: IsolateOptions<Port> = {},
): MakeStage<Port> {
  return async () => {
    const remotes = remotesOfTest(++tests);
    const context = createExecutionContext();
    const waitUntil = (promise: Promise<unknown>): void => context.waitUntil(promise);
    const newName = (): string => crypto.randomUUID();
    const engines = [1, 2].map(() => createDurableEngine({ clock: workerClock, remotes, waitUntil, newName }));
    const [one, other] = engines as [StateEngine, StateEngine];
    const stage = onRealTime([portOf(one), portOf(other)], async () => {
      await Promise.all(engines.map((engine) => engine.close()));
      await waitOnExecutionContext(context);
      for (const engine of engines) {
        const health = engine.health();
        if (health.kind === 'degraded') throw new Error(`an object was in trouble: ${health.because}`);
      }
    });
    const until: ContractStage<Port>['until'] = (label, isSo) =>
      stage.until(label, async () => {
        if (traffic) await Promise.all(engines.map(traffic));
        return isSo();
      });
    return { ...stage, until, ...(standing ? { standing: (name) => standing(remotes, name) } : {}) };
  };
}

const { TENANTS, UPSTREAMS, FLIGHTS } = env as unknown as WorkerEnvironment;

/** The objects of one test: named so that no other test has them. */
function remotesOfTest(test: number): Remotes {
  const named = (id: string): string => `contract ${test} ${id}`;
  return {
    tenant: (id) => TENANTS.getByName(named(id)),
    upstream: (id) => UPSTREAMS.getByName(named(id)),
    flights: (family) => FLIGHTS.getByName(named(`flights ${family}`)),
  };
}

/** A request of the tenant: with its slot comes what other isolates have told. */
async function takeSlot({ slots: port }: StateEngine): Promise<void> {
  const rules = { limit: 4, maxWaiters: 4, maxWaitMs: 1_000 };
  const grant = await port.acquire('acme', rules, new AbortController().signal);
  if (grant.kind === 'granted') grant.lease.release();
}

const slots = isolates((engine) => engine.slots, { standing: (remotes, name) => remotes.tenant(name).count() });
const flights = isolates((engine) => engine.flights.of({ family: 1, tenant: 'acme' }));
const capacity = isolates((engine) => engine.capacity, {
  standing: async (remotes, name) => (await remotes.upstream(name).standing()).load,
});
const ledger = isolates((engine) => engine.ledger);
const places = isolates((engine) => engine.places, { traffic: takeSlot });
const ownership = isolates((engine) => engine.ownership);

slotsContract('slots in objects', slots);
slotsLimitContract('the limit of slots in objects', slots);
slotsModelContract('slots in objects', slots, { runs: 20, time: 'real', resizes: false });
flightsContract('flights in an object', flights);
flightsModelContract('flights in an object', flights, 10);
sharedFlightsContract('flights of isolates', flights);
sharedCapacityContract('upstream capacity of isolates', capacity);
ledgerContract('the ledger in objects', ledger);
sharedLedgerContract('the ledger of isolates', ledger);
placesContract('places in an isolate', places);
sharedPlacesContract('places of isolates', places);
ownershipContract('ownership in objects', ownership);
capacityContract('upstream capacity in objects', capacity);
