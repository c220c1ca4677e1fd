import { expect } from 'vitest';
import { createMemoryFlights } from '../../src/state/memory-flights.ts';
import { createMemoryOwnership } from '../../src/state/memory-ownership.ts';
import { createMemorySessionPlaces } from '../../src/state/memory-session-places.ts';
import { createMemorySlots } from '../../src/state/memory-slots.ts';
import { createMemoryUpstreamCapacity } from '../../src/state/memory-upstream-capacity.ts';
import { createMemoryLedger } from '../../src/state/ledger.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { createCeilingLimit } from './asked-capacity.ts';
import { localCapacityContract } from './capacity-local.contract.ts';
import { capacityContract } from './capacity.contract.ts';
import { flightsContract } from './flights.contract.ts';
import { flightsModelContract } from './flights-model.contract.ts';
import { ledgerContract, sharedLedgerContract } from './ledger.contract.ts';
import { onFakeTime } from './on-fake-time.ts';
import { claimLifeContract, ownershipContract } from './ownership.contract.ts';
import { placesContract, placesLifeContract } from './places.contract.ts';
import { slotsContract } from './slots.contract.ts';
import { localSlotsContract, slotsLimitContract } from './slots-limit.contract.ts';
import { slotsModelContract } from './slots-model.contract.ts';

/** The reference engine. It is one process, so that what is promised between processes (`shared…`) is not asked of it. */
slotsContract('slots in memory', onFakeTime(createMemorySlots));
slotsLimitContract('the limit of slots in memory', onFakeTime(createMemorySlots));
localSlotsContract('slots in memory, where they are counted', onFakeTime(createMemorySlots));
let clock: FakeClock;
slotsModelContract(
  'slots in memory',
  onFakeTime((one) => createMemorySlots((clock = one))),
  { runs: 300, time: 'moved', resizes: true, inspect: (waiting) => expect(clock.pending).toBe(waiting) },
);
flightsContract('flights in memory', onFakeTime(createMemoryFlights));
flightsModelContract('flights in memory', onFakeTime(createMemoryFlights), 300);
const capacity = onFakeTime((one) => createMemoryUpstreamCapacity({ clock: one, createLimit: createCeilingLimit }));
capacityContract('upstream capacity in memory', capacity);
localCapacityContract('upstream capacity in memory, where it is counted', capacity);
ledgerContract('the ledger in memory', onFakeTime(createMemoryLedger));
sharedLedgerContract('the ledger in memory', onFakeTime(createMemoryLedger));
placesContract('places in memory', onFakeTime(createMemorySessionPlaces));
placesLifeContract('the life of places in memory', onFakeTime(createMemorySessionPlaces));
ownershipContract('ownership in memory', onFakeTime(createMemoryOwnership));
claimLifeContract('the life of claims in memory', onFakeTime(createMemoryOwnership));
