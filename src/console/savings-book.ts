import { modelLabel } from '../metrics/labels.ts';
import type { SavingsReport, SavingsRow, TokenCounts } from './contract.ts';
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
  const days = new Map<string, Map<string, SavingsEntry>>();
  const rowsOf = (day: string): Map<string, SavingsEntry> => {
    const rows = days.get(day) ?? new Map<string, SavingsEntry>();
    days.set(day, rows);
    return rows;
  };
  for (const entry of kept) rowsOf(entry.day).set(keyOf(entry), entry);
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
      const entry = { day: dayOf(atMs), tenant, model: modelLabel(finished.story.model) };
      const rows = rowsOf(entry.day);
      const sums = sum(rows.get(keyOf(entry))?.sums ?? NOTHING, sumsOf(finished));
      rows.set(keyOf(entry), { ...entry, sums });
    },
    report(by, nowMs) {
      const rows = new Map<string, SavingsSums>();
      let total = NOTHING;
      for (const entry of entries(nowMs)) {
        rows.set(entry[by], sum(rows.get(entry[by]) ?? NOTHING, entry.sums));
        total = sum(total, entry.sums);
      }
      const named = [...rows].map(([name, sums]) => ({ name, ...sums }));
      return { atMs: nowMs, by, rows: named.sort(ORDER[by]), total: { name: 'total', ...total } };
    },
    entries,
  };
}

function keyOf({ tenant, model }: Pick<SavingsEntry, 'tenant' | 'model'>): string {
  return `${tenant}\n${model}`;
}

const byCost = (a: SavingsRow, b: SavingsRow): number => b.costUsd - a.costUsd;
const newestFirst = (a: SavingsRow, b: SavingsRow): number => (a.name < b.name ? 1 : -1);
const ORDER = { tenant: byCost, model: byCost, day: newestFirst };

const NO_TOKENS: TokenCounts = { uncached: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 0 };
const NOTHING: SavingsSums = {
  requests: 0,
  tokens: NO_TOKENS,
  costUsd: 0,
  withoutCacheUsd: 0,
  writePremiumUsd: 0,
  savedUsd: 0,
};

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

function sum(a: SavingsSums, b: SavingsSums): SavingsSums {
  return {
    requests: a.requests + b.requests,
    tokens: {
      uncached: a.tokens.uncached + b.tokens.uncached,
      cacheRead: a.tokens.cacheRead + b.tokens.cacheRead,
      cacheWrite5m: a.tokens.cacheWrite5m + b.tokens.cacheWrite5m,
      cacheWrite1h: a.tokens.cacheWrite1h + b.tokens.cacheWrite1h,
      output: a.tokens.output + b.tokens.output,
    },
    costUsd: a.costUsd + b.costUsd,
    withoutCacheUsd: a.withoutCacheUsd + b.withoutCacheUsd,
    writePremiumUsd: a.writePremiumUsd + b.writePremiumUsd,
    savedUsd: a.savedUsd + b.savedUsd,
  };
}

function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
