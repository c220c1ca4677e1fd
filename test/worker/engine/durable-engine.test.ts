import { describe, expect, it } from 'vitest';
import { createDurableEngine } from '../../../src/worker/engine/durable-engine.ts';
import type {
  RemoteFlights,
  RemoteTenant,
  RemoteUpstream,
  SlotAnswer,
  TenantNews,
  TenantWord,
} from '../../../src/worker/remote.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

/** The engine against objects that answer as a test says, or not at all: what the runtime does when one is gone. */
const RULES = { limit: 8, maxWaiters: 4, maxWaitMs: 30_000 };
const ASK = { tenant: 'acme', weight: 1, modelClass: 'sonnet', inputTokens: 1, maxWaitMs: 0 };
const ORIGIN = { family: 1, tenant: 'acme' };
const NO_NEWS: TenantWord = { version: 0, news: { written: [], places: [] }, spent: [{ periodStartMs: 0, usd: 0 }] };
const HERE = new AbortController().signal;

const broken = (): Promise<never> => Promise.reject(new Error('Durable Object reset because its code was updated'));

interface Stage {
  acquire: RemoteTenant['acquire'];
  spent: RemoteTenant['spent'];
  readonly told: TenantNews[];
  readonly left: string[];
  readonly disposed: string[];
  readonly bookings: string[];
}

function createStage() {
  const clock = createFakeClock();
  const stage: Stage = { acquire: broken, spent: broken, told: [], left: [], disposed: [], bookings: [] };
  const tenant: RemoteTenant = {
    acquire: (wait, rules, asker) => stage.acquire(wait, rules, asker),
    leave: async (wait) => void stage.left.push(wait),
    tell: async (_isolate, news) => void stage.told.push(news),
    spent: () => stage.spent(),
    book(booking) {
      stage.bookings.push(booking);
      return stage.bookings.length === 1 ? broken() : Promise.resolve();
    },
    count: broken,
    claim: broken,
    findClaim: broken,
    forgetClaim: broken,
    listClaims: broken,
  };
  const upstream: RemoteUpstream = { acquire: broken, leave: broken, standing: broken };
  const flights: RemoteFlights = { join: broken, follow: broken, leave: broken };
  let names = 0;
  const engine = createDurableEngine({
    clock,
    remotes: { tenant: () => tenant, upstream: () => upstream, flights: () => flights },
    waitUntil: () => {},
    newName: () => `name-${names++}`,
  });
  const granted = (what: string): SlotAnswer & Disposable => ({
    kind: 'granted',
    waitedMs: 0,
    lease: { [Symbol.dispose]: () => {} },
    word: NO_NEWS,
    [Symbol.dispose]: () => void stage.disposed.push(what),
  });
  return { clock, stage, engine, granted };
}

describe('a slot', () => {
  it('is given back by disposing the answer that brought it, once', async () => {
    const { stage, engine, granted } = createStage();
    stage.acquire = async () => granted('the slot');
    const grant = await engine.slots.acquire('acme', RULES, HERE);
    if (grant.kind !== 'granted') throw new Error(grant.kind);
    expect(stage.disposed).toEqual([]);
    grant.lease.release();
    expect(stage.disposed).toEqual(['the slot']);
  });

  it('is asked for a second time when the object was ended in the meantime', async () => {
    const { stage, engine, granted } = createStage();
    let asked = 0;
    stage.acquire = async () => (asked++ === 0 ? broken() : granted('the slot'));
    expect((await engine.slots.acquire('acme', RULES, HERE)).kind).toBe('granted');
    expect(engine.health()).toEqual({ kind: 'ok' });
  });

  it('is not asked for again of an object that has too much to do', async () => {
    const { stage, engine } = createStage();
    let asked = 0;
    stage.acquire = () => {
      asked++;
      return Promise.reject(Object.assign(new Error('Durable Object is overloaded'), { overloaded: true }));
    };
    await engine.slots.acquire('acme', RULES, HERE);
    expect(asked).toBe(1);
  });

  it('that is granted after its caller has left is given back at once, and the wait is left', async () => {
    const { stage, engine, granted, clock } = createStage();
    const caller = new AbortController();
    const object = Promise.withResolvers<SlotAnswer & Disposable>();
    stage.acquire = () => object.promise;
    const asking = engine.slots.acquire('acme', RULES, caller.signal);
    caller.abort();
    expect(await asking).toEqual({ kind: 'abandoned' });
    expect(stage.left).toEqual(['name-0']);
    object.resolve(granted('too late'));
    await clock.advance(0);
    expect(stage.disposed).toEqual(['too late']);
  });

  it('whose object says nothing for longer than a wait may take is no longer waited for', async () => {
    const { stage, engine, granted, clock } = createStage();
    const object = Promise.withResolvers<SlotAnswer & Disposable>();
    stage.acquire = () => object.promise;
    const asking = engine.slots.acquire('acme', RULES, HERE);
    await clock.advance(RULES.maxWaitMs + 10_000);
    expect((await asking).kind).toBe('granted'); // of the share
    object.resolve(granted('too late'));
    await clock.advance(0);
    expect(stage.disposed).toEqual(['too late']);
    expect(clock.pending).toBe(0);
  });
});

describe('objects that cannot be reached', () => {
  it('leave each isolate a quarter of a limit, and what is beyond that is refused at once', async () => {
    const { engine } = createStage();
    const first = await engine.slots.acquire('acme', RULES, HERE);
    expect((await engine.slots.acquire('acme', RULES, HERE)).kind).toBe('granted');
    expect(await engine.slots.acquire('acme', RULES, HERE)).toEqual({ kind: 'full', retryAfterMs: 1_000 });
    if (first.kind === 'granted') for (const _ of [1, 2]) first.lease.release();
    expect((await engine.slots.acquire('acme', RULES, HERE)).kind).toBe('granted');
    expect((await engine.slots.acquire('acme', RULES, HERE)).kind).toBe('full');
  });

  it('make the gateway degraded, until ten seconds after the last trouble', async () => {
    const { engine, clock } = createStage();
    await engine.slots.acquire('acme', RULES, HERE);
    expect(engine.health().kind).toBe('degraded');
    await clock.advance(10_000);
    expect(engine.health()).toEqual({ kind: 'ok' });
  });

  it('of upstreams and flights stop no request', async () => {
    const { engine } = createStage();
    engine.capacity.setCeiling('main', 256);
    const grant = await engine.capacity.acquire('main', ASK, HERE);
    expect(grant.kind).toBe('granted');
    const written = [{ prefix: 'a', ttl: '5m' as const }];
    expect(await engine.flights.of(ORIGIN).join({ wanted: [], written })).toEqual({ kind: 'none' });
    expect(await engine.flights.of(ORIGIN).follow('a', { sinceSentMs: 1, maxMs: 1 }, HERE)).toEqual({
      kind: 'timed_out',
    });
  });

  it('leave a budget at what its object said last', async () => {
    const { engine, stage, clock } = createStage();
    stage.spent = async () => [{ periodStartMs: 0, usd: 12 }];
    expect(await engine.ledger.spentUsd('acme', 0)).toBe(12);
    stage.spent = broken;
    await clock.advance(10 * 60_000);
    expect(await engine.ledger.spentUsd('acme', 0)).toBe(12);
    expect(await engine.ledger.spentUsd('acme', 86_400_000)).toBe(0);
  });
});

describe('a booking', () => {
  it('is sent again under its name when the first did not arrive', async () => {
    const { engine, stage, clock } = createStage();
    engine.ledger.book('acme', 0, 1);
    await clock.advance(0);
    expect(stage.bookings).toEqual(['name-0', 'name-0']);
  });
});

describe('a request that has nothing to do with the cache', () => {
  it('asks nobody for flights', async () => {
    const { engine } = createStage();
    expect(await engine.flights.of(ORIGIN).join({ wanted: [], written: [] })).toEqual({ kind: 'none' });
    expect(engine.health()).toEqual({ kind: 'ok' });
  });
});
