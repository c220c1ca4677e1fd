import { createNewest } from '../core/newest.ts';
import { createTenantLabels } from '../metrics/labels.ts';
import type { Bucket, History, RequestRow, RequestStory, SavingsReport, Totals } from './contract.ts';
import { isError, requestRow, type FinishedExchange } from './finished-exchange.ts';
import { matches, type RequestQuery } from './request-query.ts';
import { createSavingsBook, type SavingsEntry } from './savings-book.ts';
import { createStandings, type StandingsNow } from './standings.ts';
import { createTrafficHistory } from './traffic-history.ts';

/**
 * What the console knows of exchanges that are over: plain data in, plain data out, bounded in every direction, with
 * neither a clock nor a timer, so that it is the same in a process and in an object that many isolates report to. All
 * times are times of day.
 */
export interface ConsoleBoard {
  readonly sinceAtMs: number;
  add(finished: FinishedExchange): void;
  /** Newest first; null where the one that they should be older than is not known any more. */
  requests(query: RequestQuery): readonly RequestRow[] | null;
  request(id: string): RequestStory | null;
  history(nowMs: number): History;
  newestBuckets(nowMs: number): readonly Bucket[];
  totals(): Totals;
  standings(nowMs: number): StandingsNow;
  savings(by: SavingsReport['by'], nowMs: number): SavingsReport;
  savingsEntries(nowMs: number): readonly SavingsEntry[];
}

/** What is left of a board before: its newest exchanges, oldest first, and its savings, which those are part of. */
export interface KeptFigures {
  readonly finished: readonly FinishedExchange[];
  readonly savings: readonly SavingsEntry[];
  readonly savingsSinceAtMs: number;
}

/** A story takes some 2 KB. */
const STORIES = 1_000;
/** Beyond these tenants are counted together, as `other`. */
const TENANTS = 500;

/** @param nowMs since when it is counted, or since the oldest of the exchanges that are kept. */
export function createConsoleBoard(nowMs: number, kept: KeptFigures = nothingKept(nowMs)): ConsoleBoard {
  const sinceAtMs = kept.finished[0]?.story.receivedAtMs ?? nowMs;
  const stories = createNewest<string, RequestStory>(STORIES);
  const labels = createTenantLabels(TENANTS);
  const traffic = createTrafficHistory(sinceAtMs);
  const standings = createStandings();
  const savings = createSavingsBook(kept.savings);
  let totals: Totals = NOTHING;
  const note = (tenant: string, finished: FinishedExchange): void => {
    const { story } = finished;
    stories.set(story.id, story);
    traffic.add(finished);
    standings.add(tenant, finished);
    totals = withOneMore(totals, story);
  };
  for (const { tenant } of kept.savings) if (tenant !== 'other') labels.of(tenant); // who has a name keeps it
  for (const finished of kept.finished) note(labels.of(finished.story.tenant), finished);
  return {
    sinceAtMs,
    add(finished) {
      const tenant = labels.of(finished.story.tenant);
      note(tenant, finished);
      savings.add(tenant, finished);
    },
    requests({ limit, before, ...filter }) {
      const all = stories.list(STORIES);
      const from = before === undefined ? 0 : all.findIndex(({ id }) => id === before) + 1;
      if (before !== undefined && from === 0) return null;
      const found = all.slice(from).filter((story) => matches(story, filter));
      return found.slice(0, limit).map(requestRow);
    },
    request: (id) => stories.get(id) ?? null,
    history: traffic.history,
    newestBuckets: traffic.newest,
    totals: () => totals,
    standings: standings.now,
    savings: (by, atMs) => ({ sinceAtMs: kept.savingsSinceAtMs, ...savings.report(by, atMs) }),
    savingsEntries: savings.entries,
  };
}

function nothingKept(nowMs: number): KeptFigures {
  return { finished: [], savings: [], savingsSinceAtMs: nowMs };
}

const NOTHING: Totals = {
  requests: 0,
  errors: 0,
  inputTokens: 0,
  cacheReadTokens: 0,
  outputTokens: 0,
  costUsd: 0,
  savedUsd: 0,
};

function withOneMore(totals: Totals, story: RequestStory): Totals {
  return {
    requests: totals.requests + 1,
    errors: totals.errors + (isError(story) ? 1 : 0),
    inputTokens: totals.inputTokens + (story.inputTokens ?? 0),
    cacheReadTokens: totals.cacheReadTokens + (story.tokens?.cacheRead ?? 0),
    outputTokens: totals.outputTokens + (story.outputTokens ?? 0),
    costUsd: totals.costUsd + (story.costUsd ?? 0),
    savedUsd: totals.savedUsd + (story.savedUsd ?? 0),
  };
}
