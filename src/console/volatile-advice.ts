import { costOf } from '../core/prices.ts';
import { NO_USAGE } from '../core/usage.ts';
import type { VolatileBlock } from '../prompt/volatile-prefix.ts';
import type { VolatileAdvice } from './contract.ts';

/**
 * What it costs a day that a block changes with every request: each time, the tokens behind it are paid at the price of
 * input instead of a cache read. The dearest first; those whose model has no known price last, by their tokens.
 */
export function volatileAdviceOf(blocks: readonly VolatileBlock[]): VolatileAdvice[] {
  return blocks
    .map((block) => ({ ...block, wastedUsdPerDay: wastedUsdPerDay(block) }))
    .sort((one, other) => (other.wastedUsdPerDay ?? -1) - (one.wastedUsdPerDay ?? -1) || tokensPerDay(other) - tokensPerDay(one)); // prettier-ignore
}

function wastedUsdPerDay({ model, tokensBehind, requestsPerDay }: VolatileBlock): number | null {
  const asRead = costOf(model, { ...NO_USAGE, cacheRead: tokensBehind });
  return asRead && asRead.savedUsd * requestsPerDay;
}

function tokensPerDay({ tokensBehind, requestsPerDay }: VolatileBlock): number {
  return tokensBehind * requestsPerDay;
}
