import type { KeptFigures } from '../console/console-board.ts';
import type { FinishedExchange } from '../console/finished-exchange.ts';
import type { SavingsEntry } from '../console/savings-book.ts';
import { CONSOLE_VERSION } from './console-remote.ts';

/**
 * What of the console outlives its object, which the runtime takes out of memory after seconds without a call: savings, a
 * row for each day, and the newest exchanges, in pages of which the oldest is written over. A row that was written by
 * another version of this code is none.
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

interface Day {
  readonly version: number;
  /** As 2026-11-22, so that keys are in their order. */
  readonly day: string;
  readonly entries: readonly SavingsEntry[];
}

/** Some 200 KB a page; a row may have 2 MB (docs: Durable Objects, limits). */
const PAGE_LENGTH = 100;
const PAGES = 10;
const DAY_PREFIX = 'savings:';
/** Nothing is added to a day any more when the one after the next has begun. */
const DAYS_WRITTEN = 2;

export function createConsoleStorage(storage: RowStorage, nowMs: number): ConsoleStorage {
  const pages = readPages(storage);
  const changed = new Set<number>();
  const days = rowsOf<Day>(storage, DAY_PREFIX);
  const stored = new Set(days.map(({ day }) => day));
  let last = pages.at(-1)?.number ?? 0;
  const forget = (day: string): void => {
    storage.delete(DAY_PREFIX + day);
    stored.delete(day);
  };
  return {
    kept: {
      finished: pages.flatMap(({ finished }) => finished),
      savings: days.flatMap(({ entries }) => entries),
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
      for (const [day, entries] of [...byDay].slice(-DAYS_WRITTEN)) {
        storage.put(DAY_PREFIX + day, { version: CONSOLE_VERSION, day, entries } satisfies Day);
        stored.add(day);
      }
      for (const day of stored) if (!byDay.has(day)) forget(day);
      changed.clear();
    },
    get isFolded() {
      return changed.size === 0;
    },
  };
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
