import { env, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { Board, MetricEvent, RemoteMetricsHub } from '../../../src/worker/metrics/metrics-remote.ts';
import type { MetricsHub } from '../../../src/worker/metrics/metrics-hub.ts';
import { readMetrics, type MetricSamples } from '../../support/metric-samples.ts';

/** The hub as the object that it is: with its storage, its alarm and its end. Runs inside workerd. */
type HubStub = DurableObjectStub<MetricsHub>;

const NOTHING_READ: Board = { gauges: [], idleTenants: [] };
const { METRICS } = env as unknown as { METRICS: DurableObjectNamespace<MetricsHub> };
let hubs = 0;
const newHub = (): HubStub => METRICS.getByName(`hub-of-test-${hubs++}`);

function requests(tenant: string, count: number): MetricEvent[] {
  const l = { tenant, model: 'opus', operation: 'messages', status: '200' };
  return Array.from({ length: count }, () => ({ k: 'c', n: 'slipstream_requests_total', l, v: 1 }) as const);
}

async function samplesOf(hub: HubStub): Promise<MetricSamples> {
  return readMetrics((await hub.page('', NOTHING_READ)).text);
}

describe('the hub', () => {
  it('has its counts again after an eviction, from its last alarm on', async () => {
    const hub = newHub();
    await hub.push('a', requests('acme', 3));
    await hub.push('b', [{ k: 'h', n: 'slipstream_queue_wait_seconds', l: { tenant: 'acme' }, v: 0.2 }]);
    expect(await runDurableObjectAlarm(hub)).toBe(true);
    await evictDurableObject(hub);
    await hub.push('c', requests('acme', 2));
    expect(await runDurableObjectAlarm(hub)).toBe(true);
    await evictDurableObject(hub);
    const samples = await samplesOf(hub);
    expect(samples.sum('slipstream_requests_total', { tenant: 'acme' })).toBe(5);
    expect(samples.sum('slipstream_queue_wait_seconds_bucket', { tenant: 'acme', le: '+Inf' })).toBe(1);
  });

  it('counts nothing twice after an alarm that broke off half-way', async () => {
    const hub = newHub();
    await hub.push('a', [...requests('acme', 3), ...requests('globex', 3)]);
    await runDurableObjectAlarm(hub);
    await hub.push('b', [...requests('acme', 1), ...requests('globex', 1)]);
    await runInDurableObject(hub, async (object: MetricsHub, state) => {
      const { kv } = state.storage;
      const put = kv.put.bind(kv);
      let puts = 0;
      Object.defineProperty(kv, 'put', {
        configurable: true,
        value: (key: string, value: unknown) => {
          if (puts++ > 0) throw new Error('the disk is full');
          put(key, value);
        },
      });
      await expect(object.alarm()).rejects.toThrow('the disk is full');
      Reflect.deleteProperty(kv, 'put');
      await object.alarm();
    });
    await evictDurableObject(hub);
    const samples = await samplesOf(hub);
    expect(samples.sum('slipstream_requests_total', { tenant: 'acme' })).toBe(4);
    expect(samples.sum('slipstream_requests_total', { tenant: 'globex' })).toBe(4);
  });

  it('counts a batch that arrives twice once', async () => {
    const hub = newHub();
    await hub.push('a', requests('acme', 3));
    await hub.push('a', requests('acme', 3));
    await hub.push('b', requests('acme', 1));
    expect((await samplesOf(hub)).sum('slipstream_requests_total')).toBe(4);
  });

  it('sets its alarm with the next word when it could not be set', async () => {
    const hub = newHub();
    await runInDurableObject(hub, async (object: MetricsHub, { storage }) => {
      Object.defineProperty(storage, 'setAlarm', {
        configurable: true,
        value: () => Promise.reject(new Error('the storage does not answer')),
      });
      await expect(object.push('a', requests('acme', 1))).rejects.toThrow('the storage does not answer');
      Reflect.deleteProperty(storage, 'setAlarm');
    });
    await hub.push('b', requests('acme', 1));
    expect(await runDurableObjectAlarm(hub)).toBe(true);
  });

  it('sets no alarm where nothing has changed', async () => {
    const hub = newHub();
    await hub.push('a', [{ k: 't', n: 'acme' }]);
    expect(await runDurableObjectAlarm(hub)).toBe(false);
    await hub.push('b', requests('acme', 1));
    expect(await runDurableObjectAlarm(hub)).toBe(true);
    expect(await runDurableObjectAlarm(hub)).toBe(false);
  });

  it('shows what is open until its handle is disposed', async () => {
    const hub = newHub();
    const open = async (): Promise<number> => (await samplesOf(hub)).sum('slipstream_open_streams', { tenant: 'acme' });
    const remote: RemoteMetricsHub = hub; // its type says that handles have nothing in them
    const handle = await remote.hold('slipstream_open_streams', { tenant: 'acme' });
    expect(await open()).toBe(1);
    handle[Symbol.dispose]();
    expect(await open()).toBe(0);
  });

  it('names the tenants that asked for slots', async () => {
    const hub = newHub();
    await hub.push('a', [{ k: 't', n: 'acme' }, { k: 't', n: 'globex' }]); // prettier-ignore
    expect(await hub.busyTenants()).toEqual(['acme', 'globex']);
  });
});
