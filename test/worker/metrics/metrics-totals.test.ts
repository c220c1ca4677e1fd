import { describe, expect, it } from 'vitest';
import type { Readings } from '../../../src/prometheus/sample-text.ts';
import { renderHubPage } from '../../../src/worker/metrics/metrics-page.ts';
import type { Board, MetricEvent } from '../../../src/worker/metrics/metrics-remote.ts';
import {
  createMetricsTotals,
  type MetricsTotals,
  type ShelfStorage,
} from '../../../src/worker/metrics/metrics-totals.ts';
import { hasPrometheus, promtoolOnPage } from '../../grafana/promtool.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { readMetrics, type MetricSamples } from '../../support/metric-samples.ts';

const NOTHING_READ: Board = { gauges: [], idleTenants: [] };

interface FakeStorage extends ShelfStorage {
  readonly rows: ReadonlyMap<string, unknown>;
  /** Puts that go well before one fails; then none fails. */
  failAfter(puts: number): void;
}

/** Values are copies, as from a disk. */
function createFakeStorage(): FakeStorage {
  const rows = new Map<string, unknown>();
  let left = Infinity;
  return {
    rows,
    list: ({ prefix }) =>
      [...rows].filter(([key]) => key.startsWith(prefix)).map(([key, row]) => [key, structuredClone(row)]),
    put(key, row) {
      if (left-- === 0) {
        left = Infinity;
        throw new Error('the disk is full');
      }
      rows.set(key, structuredClone(row));
    },
    failAfter: (puts) => void (left = puts),
  };
}

function traffic(tenants: readonly string[], requests = 1): MetricEvent[] {
  return tenants.flatMap((tenant) =>
    Array.from({ length: requests }, (): MetricEvent[] => [
      {
        k: 'c',
        n: 'slipstream_requests_total',
        l: { tenant, model: 'opus', operation: 'messages', status: '200' },
        v: 1,
      },
      { k: 'c', n: 'slipstream_input_tokens_total', l: { tenant, model: 'opus', kind: 'uncached' }, v: 30 },
      { k: 'c', n: 'slipstream_input_tokens_total', l: { tenant, model: 'opus', kind: 'cache_read' }, v: 70 },
      { k: 'u', n: 'slipstream_saved_usd_total', l: { tenant, model: 'opus' }, v: -0.5 },
      { k: 'h', n: 'slipstream_queue_wait_seconds', l: { tenant }, v: 0.2 },
    ]).flat(),
  );
}

async function samplesOf(hubs: readonly MetricsTotals[], board = NOTHING_READ): Promise<MetricSamples> {
  const totals = await Promise.all(hubs.map((hub) => hub.read()));
  return readMetrics((await renderHubPage('', totals, board, () => Promise.resolve())).text);
}

/** All that `traffic` of so many requests makes, in one line each. */
async function expectRequests(hubs: readonly MetricsTotals[], requests: number): Promise<void> {
  const samples = await samplesOf(hubs);
  expect({
    requests: samples.sum('slipstream_requests_total'),
    tokens: samples.sum('slipstream_input_tokens_total'),
    waits: samples.sum('slipstream_queue_wait_seconds_count'),
    shortWaits: samples.sum('slipstream_queue_wait_seconds_bucket', { le: '0.25' }),
  }).toEqual({ requests, tokens: requests * 100, waits: requests, shortWaits: requests });
  expect(samples.sum('slipstream_saved_usd_total')).toBeCloseTo(requests * -0.5, 9);
  expect(samples.sum('slipstream_queue_wait_seconds_sum')).toBeCloseTo(requests * 0.2, 9);
}

const start = (storage: ShelfStorage, clock = createFakeClock()): MetricsTotals => createMetricsTotals(storage, clock);

describe('what a hub has counted', () => {
  it('outlives it from the fold on, and goes on from there', async () => {
    const storage = createFakeStorage();
    const first = start(storage);
    first.apply(traffic(['acme', 'globex'], 3));
    await first.fold();
    first.apply(traffic(['acme'])); // lost: no fold after it
    const second = start(storage);
    await expectRequests([second], 6);
    second.apply(traffic(['acme', 'initech']));
    await expectRequests([second], 8);
    await second.fold();
    await expectRequests([start(storage)], 8);
  });

  it('is the same after many folds as after one', async () => {
    const storage = createFakeStorage();
    const hub = start(storage);
    for (let round = 1; round <= 4; round++) {
      hub.apply(traffic(['acme']));
      await hub.fold();
      await hub.fold();
      await expectRequests([hub], round);
      await expectRequests([start(storage)], round);
    }
  });

  it.each([0, 1, 2])('is counted once, though a fold broke off after %i of its rows', async (rows) => {
    const storage = createFakeStorage();
    const hub = start(storage);
    hub.apply(traffic(['acme', 'globex', 'initech']));
    await hub.fold();
    hub.apply(traffic(['acme', 'globex', 'initech']));
    storage.failAfter(rows);
    await expect(hub.fold()).rejects.toThrow('the disk is full');
    expect(hub.isFolded).toBe(false);
    await expectRequests([hub], 6);
    await expectRequests([start(storage)], 3 + rows); // that is what a death right here would leave
    await hub.fold();
    expect(hub.isFolded).toBe(true);
    await expectRequests([hub], 6);
    await expectRequests([start(storage)], 6);
  });

  it('is written only where something has changed', async () => {
    const storage = createFakeStorage();
    const hub = start(storage);
    hub.apply(traffic(['acme', 'globex']));
    await hub.fold();
    const before = new Map(storage.rows);
    hub.apply(traffic(['acme']));
    await hub.fold();
    expect([...storage.rows].filter(([key, row]) => before.get(key) !== row).map(([key]) => key)).toEqual([
      'shelf:tenant=acme',
    ]);
  });

  it('adds up over two hubs', async () => {
    const hubs = [start(createFakeStorage()), start(createFakeStorage())];
    hubs[0]?.apply(traffic(['acme', 'globex'], 2));
    hubs[1]?.apply(traffic(['acme', 'initech'], 3));
    await expectRequests(hubs, 10);
    const samples = await samplesOf(hubs);
    expect(samples.sum('slipstream_requests_total', { tenant: 'acme' })).toBe(5);
    expect(samples.sum('slipstream_cache_hit_ratio', { model: 'opus' })).toBeCloseTo(0.7, 12);
  });

  it.skipIf(!hasPrometheus)('is a page that promtool has nothing to say about', async () => {
    const hub = start(createFakeStorage());
    hub.apply(traffic(['acme', 'globex']));
    const { text } = await renderHubPage('', [await hub.read()], NOTHING_READ, () => Promise.resolve());
    expect(text).toContain('# TYPE slipstream_saved_usd_total untyped\n');
    expect(promtoolOnPage(text)).toBe('');
  });

  it('names 200 tenants of all isolates together, and after a restart the same ones', async () => {
    const storage = createFakeStorage();
    const tenants = Array.from({ length: 260 }, (_, index) => `tenant-${index}`);
    const first = start(storage);
    first.apply(traffic([...tenants, 'unknown', 'other']));
    await first.fold();
    const second = start(storage);
    second.apply(traffic(tenants.toReversed()));
    const samples = await samplesOf([second]);
    expect(samples.valuesOf('tenant')).toEqual(new Set([...tenants.slice(0, 200), 'unknown', 'other']));
    expect(samples.sum('slipstream_requests_total', { tenant: 'tenant-7' })).toBe(2);
    expect(samples.sum('slipstream_requests_total', { tenant: 'other' })).toBe(1 + 2 * 60);
  });
});

describe('of another version of the gateway', () => {
  it('what is stored and not in the table any more is left out', async () => {
    const storage = createFakeStorage();
    storage.put('shelf:', [{ name: 'slipstream_of_old_total', help: 'x', type: 'counter', aggregator: 'sum', values: [{ labels: {}, value: 3 }] }]); // prettier-ignore
    const hub = start(storage);
    await expectRequests([hub], 0);
  });

  it('what is stored as a counter, and may fall by now, begins anew', async () => {
    const storage = createFakeStorage();
    const values = [{ labels: { tenant: 'acme', model: 'opus' }, value: 40 }];
    storage.put('shelf:tenant=acme', [{ name: 'slipstream_saved_usd_total', help: 'x', type: 'counter', aggregator: 'sum', values }]); // prettier-ignore
    const hub = start(storage);
    hub.apply(traffic(['acme']));
    await expectRequests([hub], 1);
  });

  it('stored histograms with other buckets are left out, and the rest of their row is not', async () => {
    const storage = createFakeStorage();
    const before = start(storage);
    before.apply(traffic(['acme'], 2));
    await before.fold();
    const row = structuredClone(storage.rows.get('shelf:tenant=acme')) as Readings[];
    const isBucket = ({ labels }: { labels: object }): boolean => 'le' in labels && labels.le === 0.25;
    storage.put('shelf:tenant=acme', row.map((one) => ({ ...one, values: one.values.filter((each) => !isBucket(each)) }))); // prettier-ignore
    const samples = await samplesOf([start(storage)]);
    expect(samples.sum('slipstream_requests_total')).toBe(2);
    expect(samples.sum('slipstream_queue_wait_seconds_count')).toBe(0);
  });

  it.each([
    ['a metric that is not in the table', { k: 'c', n: 'slipstream_of_later_total', l: {}, v: 1 }],
    ['a metric that is called like an inherited property', { k: 'c', n: 'constructor', l: {}, v: 1 }],
    ['a label that the metric does not have', { k: 'h', n: 'slipstream_queue_wait_seconds', l: { shoe: '43' }, v: 1 }],
    ['a counter that would fall', { k: 'c', n: 'slipstream_breakpoints_total', l: {}, v: -1 }],
    ['a sum of another kind', { k: 'u', n: 'slipstream_breakpoints_total', l: {}, v: 1 }],
    ['what is no number', { k: 'h', n: 'slipstream_queue_wait_seconds', l: { tenant: 'acme' }, v: NaN }],
    ['a metric of another kind', { k: 'c', n: 'slipstream_queue_wait_seconds', l: { tenant: 'acme' }, v: 1 }],
  ])('%s is passed over, and what came with it is counted', async (_what, stranger) => {
    const hub = start(createFakeStorage());
    hub.apply([...traffic(['acme']), stranger as MetricEvent, ...traffic(['acme'])]);
    await expectRequests([hub], 2);
  });
});

describe('gauges', () => {
  it('of what is open end with the hub that held them', async () => {
    const storage = createFakeStorage();
    const hub = start(storage);
    const close = hub.hold('slipstream_open_streams', { tenant: 'acme' });
    hub.hold('slipstream_open_streams', { tenant: 'acme' });
    hub.apply(traffic(['acme']));
    await hub.fold();
    const open = async (of: MetricsTotals): Promise<number> => (await samplesOf([of])).sum('slipstream_open_streams');
    expect(await open(hub)).toBe(2);
    close();
    expect(await open(hub)).toBe(1);
    expect(await open(start(storage))).toBe(0);
  });

  it('that an isolate has read off stand as they are, and only for its page', async () => {
    const hub = start(createFakeStorage());
    const l = { scope: 'tenant', name: 'acme' };
    const board: Board = { gauges: [{ n: 'slipstream_queue_depth', l, v: 4 }], idleTenants: [] };
    expect((await samplesOf([hub], board)).sum('slipstream_queue_depth', l)).toBe(4);
    expect((await samplesOf([hub])).sum('slipstream_queue_depth', l)).toBe(0);
  });

  it('the hit ratio is of all isolates, whatever the asking one has seen, and of five minutes', async () => {
    const clock = createFakeClock();
    const hub = start(createFakeStorage(), clock);
    hub.apply(traffic(['acme']));
    const board: Board = { gauges: [{ n: 'slipstream_cache_hit_ratio', l: { model: 'opus' }, v: 1 }], idleTenants: [] };
    expect((await samplesOf([hub], board)).sum('slipstream_cache_hit_ratio')).toBeCloseTo(0.7, 12);
    await clock.advance(300_000);
    expect((await samplesOf([hub], board)).sum('slipstream_cache_hit_ratio')).toBe(0);
  });
});
