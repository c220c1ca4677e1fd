import type { KeptFigures } from '../../console/console-board.ts';
import type { FinishedExchange } from '../../console/finished-exchange.ts';
import type { SavingsEntry } from '../../console/savings-book.ts';
import { CONSOLE_VERSION } from './console-remote.ts';

/**
 * What of the console outlives its object, which the runtime takes out of memory after seconds without a call: savings by
 * the day, and the newest exchanges, in pages of which the oldest is written over. A row that was written by another version
 * of this code is none.
 */
export interface ConsoleStorage {
  readonly kept: KeptFigures;
  add(finished: FinishedExchange): void;
  /** Writes what has changed since the last time. */
  fold(savings: readonly SavingsEntry[]): void;
  readonly isFolded: boolean;
}

/** The part of an object's synchronous storage that is used. */
interface RowStorage {
  get(key: string): unknown;
  list(options: { prefix: string }): Iterable<[key: string, value: unknown]>;
  put(key: string, value: unknown): void;
  delete(key: string): boolean;
}

interface Page {
  readonly version: number;
  readonly number: number;
  readonly finished: FinishedExchange[];
}

/** A day's savings, or as many of them as a row takes. */
interface SavingsPart {
  readonly version: number;
  /** As 2026-11-22, so that keys are in their order. */
  readonly day: string;
  readonly part: number;
  readonly entries: readonly SavingsEntry[];
}

/** Some 200 KB a page; a row may have 2 MB (docs: Durable Objects, limits). */
const PAGE_LENGTH = 100;
const PAGES = 10;
const SAVINGS_PREFIX = 'savings:';
/** Some 500 KB; 500 tenants that use every model have 3 MB a day. */
const PART_LENGTH = 2_000;
/** Nothing is added to a day any more when the one after the next has begun. */
const DAYS_WRITTEN = 2;

export function createConsoleStorage(storage: RowStorage, nowMs: number): ConsoleStorage {
  const pages = readPages(storage);
  const changed = new Set<number>();
  const savingsParts = rowsOf<SavingsPart>(storage, SAVINGS_PREFIX);
  const dayOfKey = new Map(savingsParts.map((part) => [keyOf(part), part.day]));
  let last = pages.at(-1)?.number ?? 0;
  const write = (part: SavingsPart): void => {
    storage.put(keyOf(part), part);
    dayOfKey.set(keyOf(part), part.day);
  };
  const forget = (key: string): void => {
    storage.delete(key);
    dayOfKey.delete(key);
  };
  return {
    kept: {
      finished: pages.flatMap(({ finished }) => finished),
      savings: savingsParts.flatMap(({ entries }) => entries),
      savingsSinceAtMs: sinceAtMs(storage, nowMs),
    },
    add(finished) {
      const isFull = pages.at(-1)?.finished.length === PAGE_LENGTH;
      if (pages.length === 0 || isFull) pages.push({ version: CONSOLE_VERSION, number: ++last, finished: [] });
      if (pages.length > PAGES) pages.shift();
      pages.at(-1)?.finished.push(finished);
      changed.add(last);
    },
    fold(savings) {
      for (const page of pages) if (changed.has(page.number)) storage.put(`page:${page.number % PAGES}`, page);
      const byDay = Map.groupBy(savings, ({ day }) => day);
      for (const [day, entries] of [...byDay].slice(-DAYS_WRITTEN))
        for (const part of partsOf(day, entries)) write(part);
      for (const [key, day] of dayOfKey) if (!byDay.has(day)) forget(key);
      changed.clear();
    },
    get isFolded() {
      return changed.size === 0;
    },
  };
}

function partsOf(day: string, entries: readonly SavingsEntry[]): SavingsPart[] {
  return Array.from({ length: Math.ceil(entries.length / PART_LENGTH) }, (_, part) => {
    const own = entries.slice(part * PART_LENGTH, (part + 1) * PART_LENGTH);
    return { version: CONSOLE_VERSION, day, part, entries: own };
  });
}

function keyOf({ day, part }: SavingsPart): string {
  return `${SAVINGS_PREFIX}${day}:${part}`;
}

function readPages(storage: RowStorage): Page[] {
  return rowsOf<Page>(storage, 'page:').sort((a, b) => a.number - b.number);
}

function rowsOf<Row extends { readonly version: number }>(storage: RowStorage, prefix: string): Row[] {
  const rows = [...storage.list({ prefix })].map(([, row]) => row as Row);
  return rows.filter(({ version }) => version === CONSOLE_VERSION);
}

function sinceAtMs(storage: RowStorage, nowMs: number): number {
  const before = storage.get('since');
  if (typeof before === 'number') return before;
  storage.put('since', nowMs);
  return nowMs;
}
