import { describe, expect, it } from 'vitest';
import { createAdaptiveLimit } from '../../../src/core/limits/adaptive-limit.ts';
import { createMemoryEngine } from '../../../src/state/memory-engine.ts';
import type { SlotCount } from '../../../src/state/slots.ts';
import { createBusyTenants, SEEN_EVERY_MS } from '../../../src/worker/metrics/metrics-busy-tenants.ts';
import { createStandings } from '../../../src/worker/metrics/metrics-standings.ts';
import type { Remotes } from '../../../src/worker/remote.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const NO_WAY = new Error('the object was moved');
const count = (inUse: number, waiting: number, limit: number): SlotCount => ({ inUse, waiting, limit });

/** Objects that can only be asked how they stand. */
function remotesAt(tenants: ReadonlyMap<string, SlotCount>, main: SlotCount | null): Remotes {
  return {
    tenant: (id: string) => ({ count: async () => tenants.get(id) ?? Promise.reject(NO_WAY) }),
    upstream: () => ({ standing: async () => (main ? { load: main, quotas: [] } : Promise.reject(NO_WAY)) }),
  } as unknown as Remotes;
}

function standingsAt(tenants: Record<string, SlotCount>, main: SlotCount | null) {
  const engine = createMemoryEngine(createFakeClock(), createAdaptiveLimit);
  engine.capacity.setCeiling('main', 256);
  const asked: string[] = [];
  const remotes = remotesAt(new Map(Object.entries(tenants)), main);
  return { ...createStandings({ engine, remotes, onAsk: (tenant) => asked.push(tenant) }), asked };
}

describe('while the gauges are read off', () => {
  it('the engine shows what the objects say, and before and after what it knows itself', async () => {
    const { engine, during } = standingsAt({ acme: count(3, 2, 4) }, count(7, 1, 64));
    const read = () => ({ slots: engine.slots.counts(), main: engine.capacity.load('main') });
    const itself = { slots: new Map(), main: count(0, 0, 256) };
    expect(read()).toEqual(itself);
    let shown: unknown;
    await during(['acme'], () => (shown = read()));
    expect(shown).toEqual({ slots: new Map([['acme', count(3, 2, 4)]]), main: count(7, 1, 64) });
    expect(read()).toEqual(itself);
  });

  it('tenants that are idle are told and not shown: their limit is known to the settings alone', async () => {
    const { engine, during } = standingsAt({ acme: count(0, 0, 0), globex: count(0, 1, 2) }, null);
    let shown: unknown;
    const idle = await during(['acme', 'globex'], () => (shown = [...engine.slots.counts().keys()]));
    expect(idle).toEqual(['acme']);
    expect(shown).toEqual(['globex']);
  });

  it('an object that does not answer leaves the others as they are', async () => {
    const { engine, during } = standingsAt({ acme: count(1, 0, 4) }, null);
    let shown: unknown;
    const idle = await during(['gone', 'acme'], () => (shown = engine.slots.counts()));
    expect(idle).toEqual([]);
    expect(shown).toEqual(new Map([['acme', count(1, 0, 4)]]));
    expect(engine.capacity.load('main')).toEqual(count(0, 0, 256));
  });

  it('an upstream object that nobody has asked for capacity is passed over: it does not know its ceiling', async () => {
    const { engine, during } = standingsAt({}, count(0, 0, 0));
    let shown: unknown;
    await during([], () => (shown = engine.capacity.load('main')));
    expect(shown).toEqual(count(0, 0, 256));
  });

  it('a hook that fails leaves the engine as it was', async () => {
    const { engine, during } = standingsAt({ acme: count(1, 0, 4) }, null);
    const broken = during(['acme'], () => {
      throw new Error('a bug');
    });
    await expect(broken).rejects.toThrow('a bug');
    expect(engine.slots.counts()).toEqual(new Map());
  });
});

describe('a tenant that asks for a slot', () => {
  it('is told of when it asks, and not when it is served', async () => {
    const { engine, asked } = standingsAt({}, null);
    const rules = { limit: 1, maxWaiters: 1, maxWaitMs: 1_000 };
    await engine.slots.acquire('acme', rules, new AbortController().signal);
    const waiting = new AbortController();
    const second = engine.slots.acquire('acme', rules, waiting.signal);
    expect(asked).toEqual(['acme', 'acme']);
    waiting.abort();
    expect((await second).kind).toBe('abandoned');
  });
});

describe('busy tenants', () => {
  it('are forgotten when they are idle and nobody has named them for twice as long as isolates keep silent', async () => {
    const clock = createFakeClock();
    const busy = createBusyTenants(clock);
    busy.seen('acme');
    busy.seen('globex');
    busy.idle(['acme']);
    expect(busy.list()).toEqual(['acme', 'globex']);
    await clock.advance(2 * SEEN_EVERY_MS + 1);
    busy.idle(['acme']);
    expect(busy.list()).toEqual(['globex']);
    await clock.advance(3_600_000);
    expect(busy.list()).toEqual(['globex']); // a stream may run for an hour
  });

  it('are at most 1,000, those that were named last', () => {
    const busy = createBusyTenants(createFakeClock());
    busy.seen('first');
    busy.seen('second');
    busy.seen('first');
    for (let index = 0; index < 999; index++) busy.seen(`tenant-${index}`);
    expect(busy.list()).toHaveLength(1_000);
    expect(busy.list()[0]).toBe('first');
  });
});
