import { env, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { RequestRow } from '../../../src/console/contract.ts';
import type { ConsoleHub } from '../../../src/worker/console/console-hub.ts';
import type { RemoteConsoleHub } from '../../../src/worker/console/console-remote.ts';
import { NO_USAGE } from '../../../src/core/usage.ts';
import { finishedOf, ZERO_WALL_MS } from '../../console/records.ts';
import { forestOf, liveOf, reportOf, wordOf } from '../isolate-words.ts';

/** The hub as the object that it is: with its storage, its alarm and its end. Runs inside workerd. */
const { CONSOLE } = env as unknown as { CONSOLE: DurableObjectNamespace<ConsoleHub> };
let hubs = 0;

function newHub() {
  const stub = CONSOLE.getByName(`console-of-test-${hubs++}`);
  const hub: RemoteConsoleHub = stub;
  return { stub, hub };
}

const USAGE = { ...NO_USAGE, uncachedInput: 100, cacheRead: 900, output: 50 };
/** Just now, so that it is within every window. */
function served(count = 1) {
  const receivedAtMs = Date.now() - ZERO_WALL_MS;
  return Array.from({ length: count }, () => finishedOf({ usage: USAGE, receivedAtMs, endedAtMs: receivedAtMs + 5 }));
}
const idsOf = (rows: readonly RequestRow[] | null): string[] => (rows ?? []).map(({ id }) => id);

describe('the hub', () => {
  it('puts together what isolates have served and what runs in them', async () => {
    const { hub } = newHub();
    const [first, second] = [served(), served(2)];
    await hub.tell(wordOf({ isolate: 'one', finished: first, report: reportOf({ live: [liveOf('slip_a', 1)] }) }));
    await hub.tell(wordOf({ isolate: 'two', finished: second, report: reportOf({ live: [liveOf('slip_b', 2)] }) }));
    const { live, liveCount, totals, tenants, upstreams, gateway } = await hub.snapshot();
    expect(live.map(({ id }) => id)).toEqual(['slip_a', 'slip_b']);
    expect([liveCount, totals.requests, totals.cacheReadTokens]).toEqual([2, 3, 2_700]);
    expect(tenants).toMatchObject([{ id: 'acme', requests: 3, inUse: 0, limit: 16 }]);
    expect(upstreams).toMatchObject([{ id: 'main', ceiling: 256, breaker: 'closed' }]);
    expect(gateway).toMatchObject({ mode: 'managed', state: 'ready', scope: 'worker' });
    expect(idsOf(await hub.requests({ limit: 10 }))).toEqual(
      idsOf([...first, ...second].map(({ story }) => story)).toReversed(),
    );
  });

  it('is degraded when one isolate is', async () => {
    const { hub } = newHub();
    const gateway = { mode: 'managed', state: 'degraded', because: 'an object does not answer' } as const;
    await hub.tell(wordOf({ isolate: 'one' }));
    await hub.tell(wordOf({ isolate: 'two', report: reportOf({ gateway }) }));
    expect((await hub.snapshot()).gateway).toMatchObject({ state: 'degraded', because: 'an object does not answer' });
  });

  it('takes what is told twice once', async () => {
    const { hub } = newHub();
    const word = wordOf({ finished: served() });
    await hub.tell(word);
    await hub.tell(word);
    expect((await hub.snapshot()).totals.requests).toBe(1);
    expect((await hub.savings('tenant')).total.requests).toBe(1);
  });

  it('says what it would like to hear of once somebody has looked', async () => {
    const { hub } = newHub();
    expect(await hub.tell(wordOf())).toEqual({ inExchanges: false, inPrompts: false });
    await hub.snapshot();
    expect(await hub.tell(wordOf())).toEqual({ inExchanges: true, inPrompts: false });
    await hub.prefixes();
    expect(await hub.tell(wordOf())).toEqual({ inExchanges: true, inPrompts: true });
  });

  it('names prefixes neither by their hash nor by what other hubs call them', async () => {
    const names = await Promise.all(
      [newHub(), newHub()].map(async ({ hub }) => {
        for (const isolate of ['one', 'two'])
          await hub.tell(wordOf({ isolate, prompts: { prefixes: forestOf(123_456), volatilePrefixes: [] } }));
        const roots = (await hub.prefixes()).trees.flatMap((tree) => tree.roots);
        expect(roots).toMatchObject([{ requests: 6 }]);
        return roots[0]?.id;
      }),
    );
    expect(new Set([...names, '123456']).size).toBe(3);
  });

  it('passes over what isolates of another version say', async () => {
    const { hub } = newHub();
    const word = { ...wordOf({ finished: served() }), version: 0 as never };
    expect(await hub.tell(word)).toEqual({ inExchanges: false, inPrompts: false });
    expect((await hub.snapshot()).totals.requests).toBe(0);
  });

  it('has its stories and its savings again after an eviction, from its last alarm on', async () => {
    const { stub, hub } = newHub();
    const finished = served(3);
    await hub.tell(wordOf({ finished }));
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    await hub.tell(wordOf({ finished: served() }));
    await evictDurableObject(stub);
    expect(idsOf(await hub.requests({ limit: 10 }))).toEqual(finished.map(({ story }) => story.id).toReversed());
    expect((await hub.savings('day')).total).toMatchObject({ requests: 3, tokens: { cacheRead: 2_700 } });
    const { totals, tenants } = await hub.snapshot();
    expect(totals.requests).toBe(3);
    expect(tenants).toMatchObject([{ id: 'acme', requests: 3, hitRatio: 0.9 }]);
  });

  it('sets its alarm with the next word when it could not be set', async () => {
    const { stub: hub } = newHub();
    await runInDurableObject(hub, async (object: ConsoleHub, { storage }) => {
      Object.defineProperty(storage, 'setAlarm', {
        configurable: true,
        value: () => Promise.reject(new Error('the storage does not answer')),
      });
      await expect(object.tell(wordOf({ finished: served() }))).rejects.toThrow('the storage does not answer');
      Reflect.deleteProperty(storage, 'setAlarm');
    });
    await hub.tell(wordOf());
    expect(await runDurableObjectAlarm(hub)).toBe(true);
  });

  it('sets no alarm where nothing has changed', async () => {
    const { stub, hub } = newHub();
    await hub.tell(wordOf());
    expect(await runDurableObjectAlarm(stub)).toBe(false);
    await hub.tell(wordOf({ finished: served() }));
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
  });
});
