/** Figures of one policy over one trace, from what the engine billed for each request. */
import type { Billed } from './replay.ts';

export interface Summary {
  readonly policy: string;
  readonly prolong: boolean;
  /** Input cost relative to the same requests without any caching. */
  readonly cost: number;
  /** Multiple of the lower bound. */
  readonly overBound: number;
  readonly hitRate: number;
  readonly write5mTokens: number;
  readonly write1hTokens: number;
  readonly meanTtftMs: number;
  readonly heldRequests: number;
  readonly planMicroseconds: number | null;
}

export interface Prices {
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
}

/** The input price differs by model, so tokens are weighed by it where it is known. */
export function summarize(
  policy: string,
  prolong: boolean,
  billed: readonly Billed[],
  pricesOf: (line: number) => Prices & { readonly weight: number },
  bound: number,
  planMicroseconds: number | null,
): Summary {
  let cost = 0;
  let uncachedCost = 0;
  let total = 0;
  let read = 0;
  let write5mTokens = 0;
  let write1hTokens = 0;
  let ttftMs = 0;
  for (const one of billed) {
    const { weight, ...prices } = pricesOf(one.line);
    const tokens = one.readTokens + one.write5mTokens + one.write1hTokens + one.uncachedTokens;
    cost +=
      weight *
      (one.readTokens * prices.read +
        one.write5mTokens * prices.write5m +
        one.write1hTokens * prices.write1h +
        one.uncachedTokens);
    uncachedCost += weight * tokens;
    total += tokens;
    read += one.readTokens;
    write5mTokens += one.write5mTokens;
    write1hTokens += one.write1hTokens;
    ttftMs += one.ttftMs;
  }
  return {
    policy,
    prolong,
    cost: cost / uncachedCost,
    overBound: cost / uncachedCost / bound,
    hitRate: read / total,
    write5mTokens,
    write1hTokens,
    meanTtftMs: ttftMs / Math.max(1, billed.length),
    heldRequests: billed.filter((one) => one.heldMs > 0).length,
    planMicroseconds,
  };
}
