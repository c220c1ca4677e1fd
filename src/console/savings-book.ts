import { modelLabel } from '../metrics/labels.ts';
import type { SavingsReport, SavingsRow } from './contract.ts';
import { endedAtMs, type FinishedExchange } from './finished-exchange.ts';

/**
 * What was spent and saved, by UTC day, tenant and model, for five weeks. Sums of what the metrics count, under the same
 * names, so that either can be derived from the other: cost = without any caching − saved, and saved is net of premiums.
 */
export interface SavingsBook {
  /** @param tenant the name it is counted under. */
  add(tenant: string, finished: FinishedExchange): void;
  report(by: SavingsReport['by'], nowMs: number): Omit<SavingsReport, 'sinceAtMs'>;
  /** Every row, oldest day first. */
  entries(nowMs: number): readonly SavingsEntry[];
}

export interface SavingsEntry {
  readonly day: string;
  readonly tenant: string;
  readonly model: string;
  readonly sums: SavingsSums;
}

type SavingsSums = Omit<SavingsRow, 'name'>;

const DAY_MS = 24 * 3_600_000;
const DAYS = 35;

/** @param kept the entries of a book before. */
export function createSavingsBook(kept: readonly SavingsEntry[] = []): SavingsBook {
  const days = new Map<string, Map<string, OpenEntry>>();
  const addTo = (name: EntryName, sums: SavingsSums): void => {
    const rows = days.get(name.day) ?? new Map<string, OpenEntry>();
    days.set(name.day, rows);
    const entry = rows.get(keyOf(name)) ?? { ...name, sums: newSums() };
    rows.set(keyOf(name), entry);
    increase(entry.sums, sums);
  };
  for (const { sums, ...name } of kept) addTo(name, sums);
  const forgetOld = (nowMs: number): void => {
    const oldest = dayOf(nowMs - (DAYS - 1) * DAY_MS);
    for (const day of days.keys()) if (day < oldest) days.delete(day);
  };
  const entries = (nowMs: number): SavingsEntry[] => {
    forgetOld(nowMs);
    return [...days].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, rows]) => [...rows.values()]);
  };
  return {
    add(tenant, finished) {
      const atMs = endedAtMs(finished.story);
      forgetOld(atMs);
      addTo({ day: dayOf(atMs), tenant, model: modelLabel(finished.story.model) }, sumsOf(finished));
    },
    report(by, nowMs) {
      const rows = new Map<string, OpenSums>();
      for (const entry of entries(nowMs)) {
        const sums = rows.get(entry[by]) ?? newSums();
        rows.set(entry[by], sums);
        increase(sums, entry.sums);
      }
      const total = newSums();
      for (const sums of rows.values()) increase(total, sums);
      const named = [...rows].map(([name, sums]) => ({ name, ...sums }));
      return { atMs: nowMs, by, rows: named.sort(ORDER[by]), total: { name: 'total', ...total } };
    },
    entries,
  };
}

type EntryName = Omit<SavingsEntry, 'sums'>;
type OpenEntry = EntryName & { readonly sums: OpenSums };

function keyOf({ tenant, model }: Pick<SavingsEntry, 'tenant' | 'model'>): string {
  return `${tenant}\n${model}`;
}

const byCost = (a: SavingsRow, b: SavingsRow): number => b.costUsd - a.costUsd;
const newestFirst = (a: SavingsRow, b: SavingsRow): number => (a.name < b.name ? 1 : -1);
const ORDER = { tenant: byCost, model: byCost, day: newestFirst };

const NO_TOKENS = { uncached: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 0 };

/** They grow in place: five weeks of many tenants are 100,000 entries, and a report adds them all up. */
type OpenSums = ReturnType<typeof newSums>;

function newSums() {
  return { requests: 0, tokens: { ...NO_TOKENS }, costUsd: 0, withoutCacheUsd: 0, writePremiumUsd: 0, savedUsd: 0 };
}

function increase(sums: OpenSums, by: SavingsSums): void {
  sums.requests += by.requests;
  sums.tokens.uncached += by.tokens.uncached;
  sums.tokens.cacheRead += by.tokens.cacheRead;
  sums.tokens.cacheWrite5m += by.tokens.cacheWrite5m;
  sums.tokens.cacheWrite1h += by.tokens.cacheWrite1h;
  sums.tokens.output += by.tokens.output;
  sums.costUsd += by.costUsd;
  sums.withoutCacheUsd += by.withoutCacheUsd;
  sums.writePremiumUsd += by.writePremiumUsd;
  sums.savedUsd += by.savedUsd;
}

function sumsOf({ story, writePremiumUsd }: FinishedExchange): SavingsSums {
  const { tokens, costUsd, savedUsd } = story;
  return {
    requests: 1,
    tokens: tokens ?? NO_TOKENS,
    costUsd: costUsd ?? 0,
    withoutCacheUsd: (costUsd ?? 0) + (savedUsd ?? 0),
    writePremiumUsd,
    savedUsd: savedUsd ?? 0,
  };
}

function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
