import type { Clock } from '../../core/clock.ts';
import { createHitRatio } from '../../metrics/hit-ratio.ts';
import { createTenantLabels } from '../../metrics/labels.ts';
import type { MetricName } from '../../metrics/table.ts';
import { addUp } from '../../prometheus/add-up.ts';
import type { Readings } from '../../prometheus/sample-text.ts';
import { createShelves, shelfOf } from '../../prometheus/shelves.ts';
import type { HubTotals, Labels, MetricEvent } from './metrics-remote.ts';
import { fitsTable, isOfTable } from './metrics-versions.ts';

/**
 * What a hub has counted, in memory and in its storage. Memory holds what came since the object was started, storage what
 * was there by then: the total is always the sum of the two, and `fold` writes totals over totals. So a fold that failed
 * half-way has counted nothing twice, and is simply done again. What is lost when the object dies is what came since the
 * last fold that went well.
 */
export interface MetricsTotals {
  apply(events: readonly MetricEvent[]): void;
  /** One more, until the returned function is called. Not stored: what was open is gone with the object. */
  hold(name: MetricName, labels: Labels): () => void;
  /** Writes every shelf that has changed since the last time. */
  fold(): Promise<void>;
  readonly isFolded: boolean;
  read(): Promise<HubTotals>;
}

/** The part of an object's synchronous storage that is used. */
export interface ShelfStorage {
  list(options: { prefix: string }): Iterable<[key: string, value: unknown]>;
  put(key: string, value: unknown): void;
}

/** Stored under it: one row for each shelf, so that one row is far from the limit of 2 MB (docs: Durable Objects). */
const PREFIX = 'shelf:';
/** What the edge calls callers who are no tenant, and all beyond the cap. */
const NO_TENANT = new Set(['unknown', 'other']);

export function createMetricsTotals(storage: ShelfStorage, clock: Clock): MetricsTotals {
  const stored = readStored(storage);
  const since = createShelves();
  const hitRatio = createHitRatio(clock);
  const capped = labelCap(stored.keys());
  const changed = new Set<string>();
  const held = new Set<string>();

  const shelfTotals = async (key: string): Promise<Readings[]> => {
    const before = stored.get(key) ?? [];
    const now = await Promise.all([...(since.all.get(key)?.values() ?? [])].map((metric) => metric.get()));
    return Object.values(Object.groupBy([...before, ...now], ({ name }) => name)).flatMap(
      (same) => addUp(same ?? []) ?? [],
    );
  };
  return {
    apply(events) {
      for (const event of events) {
        if (event.k === 't' || !fitsTable(event)) continue;
        const labels = capped(event.l);
        changed.add(shelfOf(labels));
        if (event.k === 'c') since.count(event.n as never, labels, event.v);
        else if (event.k === 'u') since.adjust(event.n as never, labels, event.v);
        else since.observe(event.n as never, labels, event.v);
        if (event.n === 'slipstream_input_tokens_total') {
          hitRatio.record(labels['model'] ?? '', labels['kind'] === 'cache_read' ? event.v : 0, event.v);
        }
      }
    },
    hold(name, labels) {
      held.add(name);
      return since.hold(name as never, capped(labels));
    },
    async fold() {
      const keys = [...changed];
      changed.clear();
      try {
        const rows = await Promise.all(
          keys.map(async (key) => [key, (await shelfTotals(key)).filter(({ name }) => !held.has(name))] as const),
        );
        for (const [key, row] of rows) storage.put(PREFIX + key, row);
      } catch (error) {
        for (const key of keys) changed.add(key);
        throw error;
      }
    },
    get isFolded() {
      return changed.size === 0;
    },
    async read() {
      const keys = new Set([...stored.keys(), ...since.all.keys()]);
      const shelves = await Promise.all([...keys].map(async (key) => [key, await shelfTotals(key)] as const));
      return { shelves: new Map(shelves), input: hitRatio.sums() };
    },
  };
}

function readStored(storage: ShelfStorage): Map<string, readonly Readings[]> {
  const rows = [...storage.list({ prefix: PREFIX })] as [string, readonly Readings[]][];
  return new Map(rows.map(([key, row]) => [key.slice(PREFIX.length), row.filter(isOfTable)]));
}

/** Each isolate caps its own tenants; what they send together is capped here. Those that have a label keep it. */
function labelCap(shelves: Iterable<string>): (labels: Labels) => Labels {
  const tenants = createTenantLabels();
  const of = (tenant: string): string => (NO_TENANT.has(tenant) ? tenant : tenants.of(tenant));
  for (const key of shelves) if (key.startsWith('tenant=')) of(key.slice('tenant='.length));
  return (labels) => (labels['tenant'] === undefined ? labels : { ...labels, tenant: of(labels['tenant']) });
}
