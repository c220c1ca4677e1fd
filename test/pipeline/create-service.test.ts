import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRetryBudget } from '../../src/core/failures/retry-budget.ts';
import type { Tenant } from '../../src/core/tenant.ts';
import { createHitRatio } from '../../src/metrics/hit-ratio.ts';
import { createTenantLabels } from '../../src/metrics/labels.ts';
import { createLiveExchanges } from '../../src/pipeline/live-exchanges.ts';
import { createService } from '../../src/pipeline/create-service.ts';
import type { Service } from '../../src/pipeline/service.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';
import { createPromptMemory } from '../../src/prompt/prompt-memory.ts';
import { createMemoryLedger } from '../../src/state/ledger.ts';
import { inOnePlace } from '../../src/state/flights.ts';
import { createMemoryFlights } from '../../src/state/memory-flights.ts';
import { createMemoryOwnership } from '../../src/state/memory-ownership.ts';
import { createMemorySessionPlaces } from '../../src/state/memory-session-places.ts';
import { createMemorySlots } from '../../src/state/memory-slots.ts';
import type { Slots } from '../../src/state/slots.ts';
import { wholeStream } from '../support/claude-answers.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { createScriptedCapacity, type ScriptedCapacity } from './capacity-under-test.ts';
import { entryOf, fleetOf } from './fleet-under-test.ts';
import { contextOf, createRecordedMetrics, createScriptedUpstream, requestOf, tenantOf, type ScriptedUpstream } from './scripted.ts'; // prettier-ignore

let clock: FakeClock;
let slots: Slots;
let upstream: ScriptedUpstream;
let capacity: ScriptedCapacity;
let records: ExchangeRecord[];
let errors: unknown[];
let service: Service;
beforeEach(() => {
  clock = createFakeClock();
  slots = createMemorySlots(clock);
  upstream = createScriptedUpstream();
  capacity = createScriptedCapacity();
  records = [];
  errors = [];
  service = createService({
    clock,
    metrics: createRecordedMetrics(),
    tenantLabels: createTenantLabels(),
    hitRatio: createHitRatio(clock),
    liveExchanges: createLiveExchanges(),
    slots,
    ledger: createMemoryLedger(),
    ownership: createMemoryOwnership(clock),
    mode: () => 'managed',
    uploadStallMs: () => 10_000,
    ...createPromptMemory(),
    flights: inOnePlace(createMemoryFlights(clock)),
    cacheSettings: () => ({ ttl: 'auto', prolong: 'learn', singleFlight: true, maxHoldMs: 5_000 }),
    retryBudget: createRetryBudget(),
    maxRetries: () => 4,
    random: () => 0,
    hasElsewhere: () => false,
    fleet: fleetOf(entryOf('main', { upstream })),
    places: createMemorySessionPlaces(clock),
    depthsIn: () => ({ liveDepth: 0, seenDepth: 0 }),
    onBreaker: () => {},
    capacity,
    relayLimits: () => ({ streamIdleMs: 300_000, hangUpDrainMs: 60_000 }),
    stopped: new AbortController().signal,
    onInternalError: (error) => errors.push(error),
    onRecord: (record) => records.push(record),
  });
});

const send = (tenant: Tenant) => service(requestOf({ model: 'claude-sonnet-5' }), contextOf(clock, tenant));

/** The stream that the upstream is asked for, from its head to its end. */
async function answer(outputTokens: number): Promise<void> {
  await clock.advance(0);
  upstream.head(200, { 'content-type': 'text/event-stream' });
  upstream.chunk(wholeStream({ input_tokens: 0, output_tokens: 1 }, outputTokens));
  upstream.end({ kind: 'ended' });
}

/** One slot, nobody may wait; 1 USD, or 100,000 output tokens of Claude Sonnet 5. */
const tenant = tenantOf({
  slots: { limit: 1, maxWaiters: 0, maxWaitMs: 1_000 },
  budget: { usd: 1, per: 'day' },
});

describe('the pipeline', () => {
  afterEach(() => expect(errors).toEqual([]));

  it('counts a refusal by the queue: metering is outside admission', async () => {
    const running = send(tenant);
    expect(await send(tenant)).toMatchObject({ kind: 'refused', refusal: { code: 'queue_full' } });
    await answer(1);
    await running;
    expect(records.map(({ status }) => status)).toEqual([429, 200]);
  });

  it('refuses for the budget even where the queue is full: budget is outside admission', async () => {
    const first = send(tenant);
    await answer(100_000);
    await first;
    const slot = await slots.acquire(tenant.id, tenant.slots, new AbortController().signal);
    expect(await send(tenant)).toMatchObject({ kind: 'refused', refusal: { code: 'budget_spent' } });
    expect(records.map(({ refusal }) => refusal)).toEqual([null, 'budget_spent']);
    if (slot.kind === 'granted') slot.lease.release();
  });

  it('holds the slot until the stream is over: admission is outside the upstream call', async () => {
    const running = send(tenant);
    await clock.advance(0);
    upstream.head(200, { 'content-type': 'text/event-stream' });
    await clock.advance(5_000);
    expect(slots.counts().get(tenant.id)?.inUse).toBe(1);
    upstream.chunk(wholeStream());
    upstream.end({ kind: 'ended' });
    await running;
    expect([slots.counts().size, clock.pending]).toEqual([0, 0]);
  });

  it('keeps the tenant’s slot through a retry, and gives the upstream’s back before it: retry is between the two', async () => {
    const running = send(tenant);
    await clock.advance(0);
    upstream.head(529);
    upstream.end({ kind: 'ended' });
    await clock.advance(0);
    expect([slots.counts().get(tenant.id)?.inUse, capacity.released.length]).toEqual([1, 1]);
    await clock.advance(500);
    await answer(1);
    expect(await running).toMatchObject({ kind: 'answered', status: 200 });
    expect(records[0]?.attempts.map(({ outcome }) => outcome)).toEqual(['overloaded', 'ok']);
    expect(capacity.released.map(({ kind }) => kind)).toEqual(['failed', 'ok']);
  });
});
