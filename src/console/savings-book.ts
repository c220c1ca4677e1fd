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
  const days = new Map<number, Map<string, OpenEntry>>();
  const addTo = (day: number, tenant: string, model: string, sums: SavingsSums): void => {
    let rows = days.get(day);
    if (!rows) days.set(day, (rows = new Map()));
    const key = `${tenant}\n${model}`;
    let entry = rows.get(key);
    if (!entry) rows.set(key, (entry = { day: nameOfDay(day), tenant, model, sums: newSums() }));
    increase(entry.sums, sums);
  };
  for (const { day, tenant, model, sums } of kept) addTo(dayOf(Date.parse(day)), tenant, model, sums);
  const forgetOld = (nowMs: number): void => {
    const oldest = dayOf(nowMs) - DAYS + 1;
    for (const day of days.keys()) if (day < oldest) days.delete(day);
  };
  const entries = (nowMs: number): SavingsEntry[] => {
    forgetOld(nowMs);
    return [...days].sort(([a], [b]) => a - b).flatMap(([, rows]) => [...rows.values()]);
  };
  return {
    add(tenant, finished) {
      const atMs = endedAtMs(finished.story);
      forgetOld(atMs);
      addTo(dayOf(atMs), tenant, modelLabel(finished.story.model), sumsOf(finished));
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

type OpenEntry = Omit<SavingsEntry, 'sums'> & { readonly sums: OpenSums };

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

/** Since 1970-01-01, UTC. */
function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

function nameOfDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
