import type { FlightWrite } from '../../state/flights.ts';

/**
 * What the scripts of `flight-scripts.ts` answer, as values. A list of writes is text in Redis, `name/ttl` with blanks
 * between; scripts name a write that they were given by its index, counted from 1.
 */
export interface Flight {
  readonly id: string;
  readonly writes: readonly FlightWrite[];
  /** By the clock of this process. */
  sentAtMs: number;
}

/** A write, and since when (Redis's clock) this process knows that it can be read: 0 where it does not. */
export interface KnownWrite extends FlightWrite {
  readonly knownSinceMs: number;
}

export interface StoredNews extends FlightWrite {
  readonly ageMs: number;
  readonly sinceMs: number;
}

export type StoredJoin =
  | { readonly kind: 'follow'; readonly name: string; readonly ageMs: number; readonly writes: readonly FlightWrite[] }
  | { readonly kind: 'readable'; readonly news: readonly StoredNews[] }
  | { readonly kind: 'lead'; readonly flight: Flight }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed' };

export type StoredLook =
  | { readonly kind: 'flying'; readonly ageMs: number; readonly writes: readonly FlightWrite[] }
  | { readonly kind: 'lead'; readonly flight: Flight }
  | { readonly kind: 'over' }
  | { readonly kind: 'failed' };

export type Value = string | number;
/** What has come of it, and the rest as the script puts it. */
export type Reply = readonly [string, ...Value[]];

/** A flight that was just granted, of these. */
export type Granted = (writes: readonly FlightWrite[]) => Flight;

export function readJoin(
  [kind, ...rest]: Reply,
  wanted: readonly string[],
  written: readonly KnownWrite[],
  granted: Granted,
): StoredJoin {
  const [at, ageMs, writes = ''] = rest;
  switch (kind) {
    case 'follow':
      return { kind, name: wanted[Number(at) - 1] ?? '', ageMs: Number(ageMs), writes: parseWrites(writes) };
    case 'readable':
      return { kind, news: readNews(rest, written) };
    case 'lead':
      return { kind, flight: granted(pick(written, rest)) };
    default:
      return { kind: 'none' };
  }
}

export function readLook([kind, ...rest]: Reply, writes: readonly FlightWrite[], granted: Granted): StoredLook {
  const [ageMs, flown = ''] = rest;
  if (kind === 'lead') return { kind, flight: granted(pick(writes, rest)) };
  if (kind === 'flying') return { kind, ageMs: Number(ageMs), writes: parseWrites(flown) };
  return { kind: 'over' };
}

export function textOf({ prefix, ttl }: FlightWrite): string {
  return `${prefix}/${ttl}`;
}

function parseWrites(text: Value): FlightWrite[] {
  return String(text)
    .split(' ')
    .map((one) => {
      const [prefix = '', ttl] = one.split('/');
      return { prefix, ttl: ttlOf(ttl) };
    });
}

function pick(writes: readonly FlightWrite[], indices: readonly Value[]): FlightWrite[] {
  return indices.flatMap((at) => writes[Number(at) - 1] ?? []).map(({ prefix, ttl }) => ({ prefix, ttl }));
}

const NEWS_FIELDS = 4;

function readNews(values: readonly Value[], written: readonly KnownWrite[]): StoredNews[] {
  const news: StoredNews[] = [];
  for (let from = 0; from < values.length; from += NEWS_FIELDS) {
    const [at, ttl, ageMs, sinceMs] = values.slice(from, from + NEWS_FIELDS);
    const prefix = written[Number(at) - 1]?.prefix ?? '';
    news.push({ prefix, ttl: ttlOf(ttl), ageMs: Number(ageMs), sinceMs: Number(sinceMs) });
  }
  return news;
}

function ttlOf(text: Value | undefined): FlightWrite['ttl'] {
  return text === '1h' ? text : '5m';
}
