import type { MetricName } from '../../metrics/table.ts';
import type { MetricsText } from '../../metrics/metrics.ts';
import type { Readings } from '../../prometheus/sample-text.ts';

/**
 * What isolates and the metrics hub say to each other. Counts and observations go to the hub in batches, as they happened;
 * what is open is a handle there; what is read off something comes with the question for the page.
 */
export interface RemoteMetricsHub {
  /** @param batch names it, so that one that is sent again is not counted again. */
  push(batch: string, events: readonly MetricEvent[]): Promise<void>;
  /** One more of what a gauge shows, until it is disposed or the context ends that holds it, however that ends. */
  hold(name: MetricName, labels: Labels): Promise<Disposable>;
  /** Tenants that may have something running or waiting, by id. */
  busyTenants(): Promise<readonly string[]>;
  page(accept: string, board: Board): Promise<HubPage>;
  /** All that this hub alone has counted, for the one that puts the page together; it forgets these tenants. */
  totals(idleTenants: readonly string[]): Promise<HubTotals>;
}

export type HubPage = Pick<MetricsText, 'text' | 'contentType'>;

export type Labels = Readonly<Record<string, string>>;

/** A counter, an untyped sum, a histogram, or a tenant that has asked for a slot. */
export type MetricEvent =
  | { readonly k: 'c' | 'u' | 'h'; readonly n: MetricName; readonly l: Labels; readonly v: number }
  | { readonly k: 't'; readonly n: string };

/** What the asking isolate has read off; it replaces all that the hub has under these names. */
export interface Board {
  readonly gauges: readonly { readonly n: MetricName; readonly l: Labels; readonly v: number }[];
  /** Tenants whose objects have said that nothing runs or waits there. */
  readonly idleTenants: readonly string[];
}

export interface HubTotals {
  readonly shelves: ReadonlyMap<string, readonly Readings[]>;
  /** Input tokens of the last five minutes, by model. */
  readonly input: ReadonlyMap<string, { readonly readTokens: number; readonly inputTokens: number }>;
}

/** Batches may arrive twice: the newest names are kept to tell. */
export const BATCH_NAMES_KEPT = 1_000;
