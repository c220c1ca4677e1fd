import type { LabelsOf, NameOf } from './table.ts';

/** Port: where figures go. Cheap, synchronous, and never throws into a request. */
export interface Metrics {
  count<Name extends NameOf<'counter'>>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  /** For sums that may fall, too. */
  adjust<Name extends NameOf<'untyped'>>(name: Name, labels: LabelsOf<Name>, by: number): void;
  /** For gauges of what is open: one more, until the returned function is called, once, by whoever called this. */
  hold<Name extends NameOf<'gauge'>>(name: Name, labels: LabelsOf<Name>): () => void;
  /** @param requestId the request that this is of, where the metric has exemplars: an `x-slipstream-id`, nothing else. */
  observe<Name extends NameOf<'histogram'>>(
    name: Name,
    labels: LabelsOf<Name>,
    value: number,
    requestId?: string,
  ): void;
}

/** Where gauges are put up that are read off something when a scrape asks: all series of one are taken down first. */
export interface GaugeBoard {
  clear(name: NameOf<'gauge'>): void;
  set<Name extends NameOf<'gauge'>>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** For series that several things share. */
  add<Name extends NameOf<'gauge'>>(name: Name, labels: LabelsOf<Name>, by: number): void;
}

/** Port with the way out: what an operator reads at `/metrics`. */
export interface MetricsPage {
  /** @param accept the scraper's Accept header: OpenMetrics where it asks for it. */
  page(accept: string): Promise<MetricsText>;
  /** Called before each scrape, for gauges that are read off something. */
  onScrape(read: ReadGauges): void;
}

/** Asks for what must be asked for; what it returns puts it up, in steps of a moment each. The page is read after the last. */
export type ReadGauges = () => Promise<readonly (() => void)[]>;

export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface MetricsText {
  readonly text: string;
  /** The same as bytes, in pieces, with a turn for others before each: megabytes in one go would hold up every stream. */
  readonly parts: Pieces;
  readonly contentType: string;
}
