import type { Fault, Recent, TenantStanding } from './contract.ts';
import { endedAtMs, isError, type FinishedExchange } from './finished-exchange.ts';
import { createQuantileSketch } from './quantile-sketch.ts';
import { FAULTS } from './request-query.ts';
import { createTimeSlots } from './time-slots.ts';

/** The last five minutes by tenant and by upstream, and what each tenant has cost since it is counted. */
export interface Standings {
  /** @param tenant the name it is counted under. */
  add(tenant: string, finished: FinishedExchange): void;
  now(nowMs: number): StandingsNow;
}

export interface StandingsNow {
  readonly recent: Recent;
  /** Of the last five minutes. */
  readonly requests: ReadonlyMap<string, number>;
  /** Tenants that were ever heard of. */
  readonly tenants: readonly string[];
  figures(tenant: string): TenantFigures;
  /** Calls by outcome. */
  attempts(upstream: string): Readonly<Record<string, number>>;
}

export type TenantFigures = Pick<
  TenantStanding,
  'requests' | 'errors' | 'share' | 'hitRatio' | 'queueP95Ms' | 'ttftP95Ms' | 'costUsd' | 'savedUsd'
>;

const SLOT_MS = 30_000;
const SLOTS = 10;

export function createStandings(): Standings {
  const slots = createTimeSlots(SLOT_MS, SLOTS, newWindow);
  const money = new Map<string, { costUsd: number; savedUsd: number }>();
  return {
    add(tenant, finished) {
      const { story } = finished;
      const spent = money.get(tenant) ?? { costUsd: 0, savedUsd: 0 };
      spent.costUsd += story.costUsd ?? 0;
      spent.savedUsd += story.savedUsd ?? 0;
      money.set(tenant, spent);
      const window = slots.at(endedAtMs(story));
      if (window) count(window, tenant, finished);
    },
    now(nowMs) {
      const windows = slots.recent(nowMs).map(({ figures }) => figures);
      const all = together(windows.map((window) => window.all));
      const faults = { caller: 0, gateway: 0, upstream: 0 };
      for (const window of windows) for (const fault of FAULTS) faults[fault] += window.faults[fault];
      return {
        recent: recentOf(all, faults),
        requests: addUp(windows.map(({ tenants }) => new Map([...tenants].map(([id, one]) => [id, one.requests])))),
        tenants: [...money.keys()],
        figures(tenant) {
          const { costUsd = 0, savedUsd = 0 } = money.get(tenant) ?? {};
          const parts = windows.flatMap(({ tenants }) => tenants.get(tenant) ?? []);
          return { ...figuresOf(together(parts), all.inputTokens), costUsd, savedUsd };
        },
        attempts: (upstream) => Object.fromEntries(addUp(windows.map(({ calls }) => calls.get(upstream) ?? new Map()))),
      };
    },
  };
}

interface Window {
  readonly all: Sums;
  readonly faults: Record<Fault, number>;
  readonly tenants: Map<string, Sums>;
  /** Upstream → outcome → how often. */
  readonly calls: Map<string, Map<string, number>>;
}

type Sums = ReturnType<typeof newSums>;

function newWindow(): Window {
  return { all: newSums(), faults: { caller: 0, gateway: 0, upstream: 0 }, tenants: new Map(), calls: new Map() };
}

function newSums() {
  const [ttft, queue] = [createQuantileSketch(), createQuantileSketch()];
  return { requests: 0, errors: 0, inputTokens: 0, readTokens: 0, ttft, queue };
}

function count(window: Window, tenant: string, { story, queueMs }: FinishedExchange): void {
  const sums = window.tenants.get(tenant) ?? newSums();
  window.tenants.set(tenant, sums);
  if (story.fault !== null && isError(story)) window.faults[story.fault]++;
  for (const one of [sums, window.all]) {
    one.requests++;
    if (isError(story)) one.errors++;
    one.inputTokens += story.inputTokens ?? 0;
    one.readTokens += story.tokens?.cacheRead ?? 0;
    if (story.ttftMs !== null) one.ttft.add(story.ttftMs);
    if (queueMs !== null) one.queue.add(queueMs);
  }
  for (const { upstream, outcome } of story.calls) {
    const outcomes = window.calls.get(upstream) ?? new Map<string, number>();
    window.calls.set(upstream, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
  }
}

function together(parts: readonly Sums[]): Sums {
  const sums = newSums();
  for (const part of parts) {
    sums.requests += part.requests;
    sums.errors += part.errors;
    sums.inputTokens += part.inputTokens;
    sums.readTokens += part.readTokens;
    sums.ttft.addAll(part.ttft);
    sums.queue.addAll(part.queue);
  }
  return sums;
}

function recentOf({ requests, inputTokens, readTokens, ttft }: Sums, faults: Recent['faults']): Recent {
  const [ttftP50Ms, ttftP95Ms] = [ttft.quantile(0.5), ttft.quantile(0.95)];
  return { requests, faults, ttftP50Ms, ttftP95Ms, inputTokens, cacheReadTokens: readTokens };
}

function figuresOf(sums: Sums, allInputTokens: number): Omit<TenantFigures, 'costUsd' | 'savedUsd'> {
  return {
    requests: sums.requests,
    errors: sums.errors,
    share: allInputTokens > 0 ? sums.inputTokens / allInputTokens : 0,
    hitRatio: sums.inputTokens > 0 ? sums.readTokens / sums.inputTokens : null,
    queueP95Ms: sums.queue.quantile(0.95),
    ttftP95Ms: sums.ttft.quantile(0.95),
  };
}

function addUp(counts: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const each of counts) for (const [name, by] of each) sums.set(name, (sums.get(name) ?? 0) + by);
  return sums;
}
