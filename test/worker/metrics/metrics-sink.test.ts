import { describe, expect, it } from 'vitest';
import type { Board, MetricEvent, RemoteMetricsHub } from '../../../src/worker/metrics/metrics-remote.ts';
import { createMetricsSink, PUSH_AFTER_MS, type MetricsSink } from '../../../src/worker/metrics/metrics-sink.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { createRequestTimers } from '../request-timers.ts';

interface Stage {
  readonly clock: FakeClock;
  readonly sink: MetricsSink;
  readonly pushes: { readonly batch: string; readonly events: readonly MetricEvent[] }[];
  readonly boards: Board[];
  /** Handles: true while held. */
  readonly held: boolean[];
  /** The next so many calls of `push` fail. */
  failing: number;
  readonly endRequests: () => void;
}

function createStage(): Stage {
  const clock = createFakeClock();
  const requests = createRequestTimers(clock);
  const hub: RemoteMetricsHub = {
    async push(batch, events) {
      stage.pushes.push({ batch, events });
      if (stage.failing-- > 0) throw new Error('the object was moved');
    },
    async hold() {
      const index = stage.held.push(true) - 1;
      return { [Symbol.dispose]: () => void (stage.held[index] = false) };
    },
    busyTenants: async () => ['acme', 'globex'],
    async page(_accept, board) {
      stage.boards.push(board);
      return { text: 'the page', contentType: 'text/plain' };
    },
    totals: () => Promise.reject(new Error('not asked here')),
  };
  let names = 0;
  const sink = createMetricsSink({
    clock: requests.clock,
    hub: () => hub,
    allHubs: () => [hub],
    waitUntil: () => {},
    newName: () => `batch-${names++}`,
    async readOff(_busyTenants, run) {
      run();
      return ['globex'];
    },
  });
  const stage: Stage = {
    clock,
    sink,
    pushes: [],
    boards: [],
    held: [],
    failing: 0,
    endRequests: requests.endRequests,
  };
  return stage;
}

const SYSTEM_MARK = { source: 'gateway', place: 'system', ttl: '5m' };
const mark = ({ sink }: Stage): void => sink.metrics.count('slipstream_breakpoints_total', SYSTEM_MARK);

describe('events', () => {
  it('go to the hub in one push, a moment after the first of them', async () => {
    const stage = createStage();
    mark(stage);
    stage.sink.metrics.observe('slipstream_queue_wait_seconds', { tenant: 'acme' }, 0.5);
    await stage.clock.advance(PUSH_AFTER_MS - 1);
    stage.sink.metrics.adjust('slipstream_saved_usd_total', { tenant: 'acme', model: 'opus' }, -0.25);
    expect(stage.pushes).toEqual([]);
    await stage.clock.advance(1);
    const sent = stage.pushes.map(({ events }) => events.map(({ k, n }) => `${k} ${n}`));
    expect(sent).toEqual([
      ['c slipstream_breakpoints_total', 'h slipstream_queue_wait_seconds', 'u slipstream_saved_usd_total'],
    ]);
    await stage.clock.advance(10 * PUSH_AFTER_MS);
    expect(stage.pushes).toHaveLength(1);
    mark(stage);
    await stage.clock.advance(PUSH_AFTER_MS);
    expect(stage.pushes).toHaveLength(2);
  });

  it('are sent again once, under the same name, and then given up', async () => {
    const stage = createStage();
    stage.failing = 1;
    mark(stage);
    await stage.clock.advance(PUSH_AFTER_MS);
    expect(stage.pushes.map(({ batch }) => batch)).toEqual(['batch-0', 'batch-0']);
    stage.failing = 2;
    mark(stage);
    await stage.clock.advance(PUSH_AFTER_MS);
    mark(stage);
    await stage.clock.advance(PUSH_AFTER_MS);
    expect(stage.pushes.map(({ batch, events }) => `${batch}: ${events.length}`)).toEqual([
      'batch-0: 1',
      'batch-0: 1',
      'batch-1: 1',
      'batch-1: 1',
      'batch-2: 1',
    ]);
  });

  it('are not lost with the request that was to push them', async () => {
    const stage = createStage();
    mark(stage);
    stage.endRequests();
    await stage.clock.advance(5_000);
    expect(stage.pushes).toEqual([]);
    mark(stage);
    await stage.clock.advance(PUSH_AFTER_MS);
    expect(stage.pushes.map(({ events }) => events.length)).toEqual([2]);
  });

  it('that wait are pushed before a page is asked for', async () => {
    const stage = createStage();
    mark(stage);
    expect((await stage.sink.metrics.page('')).text).toBe('the page');
    expect(stage.pushes.map(({ events }) => events.length)).toEqual([1]);
  });
});

describe('a tenant that asks for slots', () => {
  it('is named to the hub, once in ten seconds', async () => {
    const stage = createStage();
    for (let second = 0; second < 25; second++) {
      stage.sink.seen('acme');
      await stage.clock.advance(1_000);
    }
    expect(stage.pushes.map(({ events }) => events)).toEqual(Array.from({ length: 3 }, () => [{ k: 't', n: 'acme' }]));
  });
});

describe('what is open', () => {
  it('is a handle at the hub for each, disposed by whoever opened it', async () => {
    const stage = createStage();
    const closeFirst = stage.sink.metrics.hold('slipstream_open_streams', { tenant: 'acme' });
    stage.sink.metrics.hold('slipstream_open_streams', { tenant: 'acme' });
    await stage.clock.advance(0);
    expect(stage.held).toEqual([true, true]);
    closeFirst();
    await stage.clock.advance(0);
    expect(stage.held).toEqual([false, true]);
  });
});

describe('gauges that are read off', () => {
  it('go with the question for the page, as the hooks of the scrape have set them', async () => {
    const stage = createStage();
    const { metrics } = stage.sink;
    const l = { scope: 'tenant', name: 'other' };
    let depth = 3;
    metrics.onScrape(async () => [
      () => {
        metrics.clear('slipstream_queue_depth');
        metrics.add('slipstream_queue_depth', l, depth);
        metrics.add('slipstream_queue_depth', l, 1);
      },
    ]);
    await metrics.page('');
    depth = 5;
    await metrics.page('');
    expect(stage.boards).toEqual(
      [4, 6].map((v) => ({ gauges: [{ n: 'slipstream_queue_depth', l, v }], idleTenants: ['globex'] })),
    );
    expect(stage.pushes).toEqual([]);
  });
});
