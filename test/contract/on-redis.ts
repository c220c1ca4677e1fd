import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../src/node/system-clock.ts';
import { createRedisEngine, type RedisEngine } from '../../src/redis/redis-engine.ts';
import type { StateEngine } from '../../src/state/engine.ts';
import { eventually } from '../support/eventually.ts';
import { createCeilingLimit } from './asked-capacity.ts';
import { localCapacityContract } from './capacity-local.contract.ts';
import { sharedCapacityContract } from './capacity-shared.contract.ts';
import { capacityContract } from './capacity.contract.ts';
import { sharedFlightsContract } from './flights-shared.contract.ts';
import { flightsContract } from './flights.contract.ts';
import { flightsModelContract } from './flights-model.contract.ts';
import { ledgerContract, sharedLedgerContract } from './ledger.contract.ts';
import { ownershipContract } from './ownership.contract.ts';
import { placesContract, sharedPlacesContract } from './places.contract.ts';
import { localSlotsContract, slotsLimitContract } from './slots-limit.contract.ts';
import { slotsModelContract } from './slots-model.contract.ts';
import { slotsContract } from './slots.contract.ts';
import { onRealTime, type MakeStage } from './stage.ts';

const DEADLINE_MS = 10_000;

interface Started {
  readonly url: string;
  close(): Promise<void>;
}

/** Every port, by two replicas on one Redis, by ioredis and as a process would; each test has keys of its own. */
export function redisContracts(startRedis: () => Promise<Started>): void {
  let server: Started;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());

  const startReplica = async (keyPrefix: string): Promise<RedisEngine> => {
    const { url } = server;
    const engine = createRedisEngine({
      url,
      clock: systemClock,
      hmacKey: 'key',
      keyPrefix,
      createLimit: createCeilingLimit,
      slowMs: 400, // a starved machine is no slow Redis
    });
    await eventually('Redis is reached', DEADLINE_MS, () => engine.health().kind === 'ok');
    return engine;
  };
  const replicas =
    <Port>(portOf: (engine: StateEngine) => Port): MakeStage<Port> =>
    async () => {
      const keyPrefix = `contract-${randomUUID()}:`;
      const [one, other] = [await startReplica(keyPrefix), await startReplica(keyPrefix)];
      return onRealTime([portOf(one), portOf(other)], async () => {
        const unwell = [one, other].map((engine) => engine.health()).filter(({ kind }) => kind === 'degraded');
        await Promise.all([one.close(), other.close()]);
        if (unwell.length > 0) throw new Error(`Redis was not well: ${JSON.stringify(unwell)}`);
      });
    };
  const slots = replicas(({ slots: port }) => port);
  const flights = replicas(({ flights: families }) => families.of({ family: 1, tenant: 'acme' }));
  const capacity = replicas(({ capacity: port }) => port);
  const ledger = replicas(({ ledger: port }) => port);
  const places = replicas(({ places: port }) => port);
  const ownership = replicas(({ ownership: port }) => port);

  slotsContract('slots', slots);
  slotsLimitContract('the limit of slots', slots);
  localSlotsContract('slots, where they are counted', slots);
  slotsModelContract('slots', slots, { runs: 60, time: 'real', resizes: true });
  flightsContract('flights', flights);
  flightsModelContract('flights', flights, 30);
  sharedFlightsContract('flights of replicas', flights);
  capacityContract('upstream capacity', capacity);
  localCapacityContract('upstream capacity, where it is counted', capacity);
  sharedCapacityContract('upstream capacity of replicas', capacity);
  ledgerContract('the ledger', ledger);
  sharedLedgerContract('the ledger of replicas', ledger);
  placesContract('places', places);
  sharedPlacesContract('places of replicas', places);
  ownershipContract('ownership', ownership);
}
