import type { Clock } from '../../core/clock.ts';
import type { ReadablePrefix } from '../../state/flights.ts';
import { createLateWrites, type KeyValues } from './late-writes.ts';
import { isReadable } from '../readable-prefixes.ts';
import type { Asker, KeyedPlace, TenantNews, TenantWord } from '../remote.ts';

/**
 * What a tenant's isolates have told each other lately: each gets, with its next slot, what the others have told since its
 * last. Bounded, in the object's memory; places are also stored, because people pause for longer than an idle object lives,
 * and theirs is the one conversation that nobody else could place. Who has missed a prefix asks the flights. Versions grow
 * with the clock, so that those of an object that begins again are newer.
 */
export interface TenantNewsLog {
  tell(isolate: string, news: TenantNews): void;
  /** The newest of what is new to the asker, in the order in which it was told. */
  since(asker: Asker): Pick<TenantWord, 'version' | 'news'>;
}

/** Some 300 bytes each; an isolate that has just begun copies 10 KB of them, once. */
const WRITTEN_KEPT = 500;
const WRITTEN_AT_ONCE = 100;
/** Some 150 bytes each; 60 KB of them. */
const PLACES_KEPT = 2_000;
const PLACES_AT_ONCE = 500;

const KEY = 'places';
const PLACES_STORED = 200;
const STORED_AFTER_MS = 5_000;
/** Nobody remembers a place for longer that is not used. */
const PLACE_LIFE_MS = 3_600_000;

export function createTenantNewsLog(storage: KeyValues, clock: Clock): TenantNewsLog {
  const written = createLog<ReadablePrefix>(WRITTEN_KEPT, WRITTEN_AT_ONCE);
  const stored = (storage.get(KEY) as readonly Told<KeyedPlace>[] | undefined) ?? [];
  const young = stored.filter(({ atMs }) => clock.wallMs() - atMs < PLACE_LIFE_MS);
  const places = createLog<KeyedPlace>(PLACES_KEPT, PLACES_AT_ONCE, young);
  const value = (): unknown => places.newest(PLACES_STORED);
  const store = createLateWrites({ storage, clock, key: KEY, afterMs: STORED_AFTER_MS, value });
  let version = young.at(-1)?.version ?? 0;
  return {
    tell(isolate, news) {
      const atMs = clock.wallMs();
      version = Math.max(version + 1, atMs);
      for (const one of news.written) written.add({ version, isolate, atMs, item: one });
      for (const one of news.places) places.add({ version, isolate, atMs, item: one });
      if (news.places.length > 0) store();
    },
    since(asker) {
      const nowMs = clock.wallMs();
      const aged = written.since(asker).map(({ item, atMs }) => ({ ...item, ageMs: item.ageMs + nowMs - atMs }));
      const news = { written: aged.filter(isReadable), places: places.since(asker).map(({ item }) => item) };
      return { version, news };
    },
  };
}

interface Told<Item> {
  readonly version: number;
  readonly isolate: string;
  readonly atMs: number;
  readonly item: Item;
}

/** Invariant: oldest first. */
function createLog<Item>(kept: number, atOnce: number, stored: readonly Told<Item>[] = []) {
  const log = [...stored];
  return {
    add(told: Told<Item>): void {
      log.push(told);
      if (log.length > kept) log.shift();
    },
    since({ isolate, heardTo }: Asker): readonly Told<Item>[] {
      const heard = log.findLastIndex((told) => told.version <= heardTo) + 1;
      const others = log.slice(heard).filter((told) => told.isolate !== isolate);
      return others.slice(-atOnce);
    },
    newest: (most: number): readonly Told<Item>[] => log.slice(-most),
  };
}
