// Tokens by kind, as the simulator bills them and as /metrics names them, and what of a bill the gateway can know.
// Invariant: low ≤ high in each kind; where they differ, no client can know the figure any better.

import type { TokenUsage } from '../../src/core/usage.ts';
import type { Observation } from '../../src/simulator/observe/observations.ts';

export const TOKEN_KINDS = ['uncached', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'output'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];
export type Tokens = Record<TokenKind, number>;

export interface TokenRange {
  readonly low: Tokens;
  readonly high: Tokens;
}

export function noTokens(): Tokens {
  return { uncached: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: 0 };
}

export function addTokens(sum: Tokens, more: Readonly<Tokens>): void {
  for (const kind of TOKEN_KINDS) sum[kind] += more[kind];
}

export function noRange(): TokenRange {
  return { low: noTokens(), high: noTokens() };
}

export function addRange(sum: TokenRange, more: TokenRange): void {
  addTokens(sum.low, more.low);
  addTokens(sum.high, more.high);
}

export function exactly(tokens: Tokens): TokenRange {
  return { low: tokens, high: tokens };
}

export function isWithin(tokens: Readonly<Tokens>, { low, high }: TokenRange): boolean {
  return TOKEN_KINDS.every((kind) => low[kind] <= tokens[kind] && tokens[kind] <= high[kind]);
}

export function billedTokens(usage: Observation['usage']): Tokens {
  if (!usage) return noTokens();
  return {
    uncached: usage.uncachedTokens,
    cache_read: usage.readTokens,
    cache_write_5m: usage.write5mTokens,
    cache_write_1h: usage.write1hTokens,
    output: usage.outputTokens,
  };
}

export function meteredTokens(usage: TokenUsage | null): Tokens {
  if (!usage) return noTokens();
  return {
    uncached: usage.uncachedInput,
    cache_read: usage.cacheRead,
    cache_write_5m: usage.cacheWrite5m,
    cache_write_1h: usage.cacheWrite1h,
    output: usage.output,
  };
}
