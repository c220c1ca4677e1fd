import { DurableObject, RpcTarget } from 'cloudflare:workers';
import { dropOldest } from '../../core/newest.ts';
import type { MetricName } from '../../metrics/table.ts';
import { renderHubPage } from './metrics-page.ts';
import {
  BATCH_NAMES_KEPT,
  type Board,
  type HubPage,
  type HubTotals,
  type Labels,
  type MetricEvent,
  type RemoteMetricsHub,
} from './metrics-remote.ts';
import { createBusyTenants } from './metrics-busy-tenants.ts';
import { createMetricsTotals } from './metrics-totals.ts';
import { hubNames } from './metrics-shards.ts';
import { createFoldAlarm } from '../fold-alarm.ts';
import { workerClock } from '../worker-clock.ts';

interface HubEnvironment {
  readonly METRICS: DurableObjectNamespace<MetricsHub>;
}

/**
 * Where the figures of all isolates come together. Isolates are spread over all of these; the first puts the page together.
 * What has changed is stored a moment later (fold-alarm.ts), so that the counts outlive the object.
 */
export class MetricsHub extends DurableObject<HubEnvironment> {
  readonly #totals = createMetricsTotals(this.ctx.storage.kv, workerClock);
  readonly #busy = createBusyTenants(workerClock);
  readonly #batches = new Set<string>();
  readonly #alarm = createFoldAlarm(this.ctx.storage);

  async push(batch: string, events: readonly MetricEvent[]): Promise<void> {
    if (this.#batches.has(batch)) return;
    this.#batches.add(batch);
    dropOldest(this.#batches, BATCH_NAMES_KEPT);
    this.#totals.apply(events);
    for (const event of events) if (event.k === 't') this.#busy.seen(event.n);
    if (!this.#totals.isFolded) await this.#alarm.set();
  }

  hold(name: MetricName, labels: Labels): Disposable {
    return new HoldHandle(this.#totals.hold(name, labels));
  }

  busyTenants(): readonly string[] {
    return this.#busy.list();
  }

  totals(idleTenants: readonly string[]): Promise<HubTotals> {
    this.#busy.idle(idleTenants);
    return this.#totals.read();
  }

  /** Fails where another hub does not answer: a page without its counts would look like a restart of everything. */
  async page(accept: string, board: Board): Promise<HubPage> {
    const others = hubNames.slice(1).map((name) => this.env.METRICS.getByName(name) as unknown as RemoteMetricsHub);
    const hubs = await Promise.all([this, ...others].map((hub) => hub.totals(board.idleTenants)));
    const { text, contentType } = await renderHubPage(accept, hubs, board, () => scheduler.wait(0));
    return { text, contentType };
  }

  override async alarm(): Promise<void> {
    this.#alarm.rang();
    await this.#totals.fold();
  }
}

class HoldHandle extends RpcTarget {
  #close: (() => void) | null;

  constructor(close: () => void) {
    super();
    this.#close = close;
  }

  [Symbol.dispose](): void {
    this.#close?.();
    this.#close = null;
  }
}
