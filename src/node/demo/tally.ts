import { NO_USAGE, totalInput } from '../../core/usage.ts';
import type { ExchangeRecord } from '../../pipeline/exchange-record.ts';

/**
 * The gateway's own records, summed up by tenant. Every finished message request is in exactly one of answered, failed
 * and left; tokens and dollars are those the gateway metered.
 */
export interface Figures {
  answered: number;
  /** Refused, answered with an error, or broken off. */
  failed: number;
  /** The caller was gone before the end. */
  left: number;
  tokens: TokenSums;
  usd: number;
  savedUsd: number;
  /** In the order in which the requests ended; the newest of a bounded number. */
  firstTokens: FirstToken[];
}

type TokenKind = 'uncachedInput' | 'cacheRead' | 'cacheWrite5m' | 'cacheWrite1h' | 'output';
export type TokenSums = Record<TokenKind, number>;

interface FirstToken {
  /** When the request ended, on the gateway's clock. */
  readonly endedAtMs: number;
  readonly ttftMs: number;
}

export interface Tally {
  record(record: ExchangeRecord): void;
  of(tenant: string): Readonly<Figures>;
}

/** An hour of one answer a second: a bound on a demo that is left running. */
const FIRST_TOKENS_KEPT = 3_600;
const TOKEN_KINDS = ['uncachedInput', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'output'] as const;

export function createTally(): Tally {
  const tenants = new Map<string, Figures>();
  return {
    of: (tenant) => tenants.get(tenant) ?? noFigures(),
    record(record) {
      if (record.operation !== 'messages') return;
      const figures = tenants.get(record.tenant) ?? noFigures();
      tenants.set(record.tenant, figures);
      addRecord(figures, record);
    },
  };
}

function addRecord(figures: Figures, record: ExchangeRecord): void {
  figures[endOf(record)]++;
  if (record.usage) addTokens(figures.tokens, record.usage);
  figures.usd += record.cost?.usd ?? 0;
  figures.savedUsd += record.cost?.savedUsd ?? 0;
  const { firstContentAtMs } = record.timings;
  if (firstContentAtMs === null) return;
  figures.firstTokens.push({ endedAtMs: record.endedAtMs, ttftMs: firstContentAtMs - record.receivedAtMs });
  if (figures.firstTokens.length > FIRST_TOKENS_KEPT) figures.firstTokens.shift();
}

function endOf({ end, status }: ExchangeRecord): 'answered' | 'failed' | 'left' {
  if (end === 'client_abort') return 'left';
  return end === 'complete' && status < 400 ? 'answered' : 'failed';
}

function addTokens(sums: TokenSums, tokens: Readonly<TokenSums>): void {
  for (const kind of TOKEN_KINDS) sums[kind] += tokens[kind];
}

function noFigures(): Figures {
  const tokens = { uncachedInput: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 0 };
  return { answered: 0, failed: 0, left: 0, tokens, usd: 0, savedUsd: 0, firstTokens: [] };
}

export function sumOf(parts: readonly Readonly<Figures>[]): Figures {
  const sum = noFigures();
  for (const part of parts) {
    sum.answered += part.answered;
    sum.failed += part.failed;
    sum.left += part.left;
    addTokens(sum.tokens, part.tokens);
    sum.usd += part.usd;
    sum.savedUsd += part.savedUsd;
    sum.firstTokens.push(...part.firstTokens);
  }
  return sum;
}

export function requestsOf({ answered, failed, left }: Readonly<Figures>): number {
  return answered + failed + left;
}

/** Cache reads as a share of all input tokens; null without any input. */
export function hitRatioOf({ tokens }: Readonly<Figures>): number | null {
  const input = totalInput({ ...NO_USAGE, ...tokens });
  return input === 0 ? null : tokens.cacheRead / input;
}

/** Times to first token of requests that ended at `sinceMs` or later. */
export function firstTokensSince({ firstTokens }: Readonly<Figures>, sinceMs: number): number[] {
  return firstTokens.filter(({ endedAtMs }) => endedAtMs >= sinceMs).map(({ ttftMs }) => ttftMs);
}

/** Nearest rank: a value that was really observed; null without any. */
export function percentileOf(values: readonly number[], percent: number): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? null;
}
