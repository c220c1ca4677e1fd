import Registry from 'prom-client/lib/registry.js';
import type { MetricsText } from '../metrics/metrics.ts';
import { METRICS, type MetricName, type MetricRow } from '../metrics/table.ts';
import { samplesText, type Dialect, type Readings, type Sample } from './sample-text.ts';

/**
 * The page that a scraper reads, rendered in slices of at most SLICE_LINES lines: after each one `turn` is awaited, so that
 * streams go on meanwhile. A series is never torn, a histogram's buckets, sum and count are of one moment. Series are:
 * what is counted while the page is being rendered may be in a later metric and not yet in an earlier one.
 */

/** All that there is of one metric, in pieces that are read when their turn comes. */
export interface Family {
  readonly name: MetricName;
  readonly readings: readonly (() => Promise<Readings | undefined>)[];
}

/** Some 0.2 ms. More would be sent in bigger pieces, fewer would cost more turns. */
export const SLICE_LINES = 400;

export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];

export function dialectOf(accept: string): Dialect {
  return accept.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus';
}

/** @param turn lets others run; called after each slice. */
export async function renderPage(
  families: Iterable<Family>,
  dialect: Dialect,
  turn: () => Promise<unknown>,
): Promise<MetricsText> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = []; // not strings: the collector of garbage would copy megabytes of them
  let part: string[] = [];
  let lines = 0;
  const endSlice = async (): Promise<void> => {
    parts.push(encoder.encode(part.join('')));
    part = [];
    lines = 0;
    await turn();
  };
  for (const { name, readings } of families) {
    part.push(headOf(name, dialect));
    for (const read of readings) {
      for (const slice of slicesOf((await read())?.values ?? [])) {
        if (lines + slice.length > SLICE_LINES) await endSlice();
        lines += slice.length;
        part.push(samplesText(name, slice, dialect));
      }
    }
  }
  if (dialect === 'openmetrics') part.push('# EOF\n');
  await endSlice();
  return {
    parts: inTurns(parts, turn),
    contentType: CONTENT_TYPES[dialect],
    get text() {
      const decoder = new TextDecoder();
      return parts.map((bytes) => decoder.decode(bytes)).join('');
    },
  };
}

/** As often as it is asked for: who asked for the page at the same time has the same one. */
function inTurns(parts: readonly Uint8Array[], turn: () => Promise<unknown>): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      for (const part of parts) {
        await turn(); // a socket that takes everything would have all of it at once
        yield part;
      }
    },
  };
}

const CONTENT_TYPES: Readonly<Record<Dialect, string>> = {
  prometheus: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
};

/** OpenMetrics names a counter's family without `_total`, and calls untyped unknown; the samples are the same. */
function headOf(name: MetricName, dialect: Dialect): string {
  const { kind, help }: MetricRow = METRICS[name];
  const family = dialect === 'openmetrics' && kind === 'counter' ? name.replace(/_total$/, '') : name;
  const type = dialect === 'openmetrics' && kind === 'untyped' ? 'unknown' : kind;
  return `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`;
}

function* slicesOf(samples: readonly Sample[]): Iterable<readonly Sample[]> {
  for (let start = 0; start < samples.length; start += SLICE_LINES) yield samples.slice(start, start + SLICE_LINES);
}
