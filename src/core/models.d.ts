/**
 * What is known of each Claude model: one row a model, in USD per million tokens (public price list, November 2026).
 * A model that is not here is forwarded like any other and priced as unknown, never as free.
 */
export interface ModelFacts {
  readonly inputUsdPerMTok: number;
  readonly outputUsdPerMTok: number;
  /** Price of a cache read as a share of the input price; per model, not a constant (0.1, 0.05 or 0.025). */
  readonly readMultiplier: number;
  /** Prefixes below this many tokens are not cached and say so by zero counters only. */
  readonly minimumCacheTokens: number;
  /** Fast mode multiplies all prices by this; absent where the model has none. */
  readonly fastMultiplier?: number;
  /** A prompt longer than `aboveInputTokens` multiplies every price of that request. */
  readonly longPrompt?: {
    readonly aboveInputTokens: number;
    readonly multiplier: number;
  };
  /** `inference_geo: "us"` costs 1.1 times as much (Claude 4.6 and later). */
  readonly geoPremium: boolean;
}
/** Writes cost the same multiple of the input price on every model. */
export declare const CACHE_WRITE_5M_MULTIPLIER = 1.25;
export declare const CACHE_WRITE_1H_MULTIPLIER = 2;
export declare const MODELS: Readonly<Record<string, ModelFacts>>;
/** The name a model has in this table and in metrics: without a date suffix or `-latest`; null where it is unknown. */
export declare function modelName(model: string | null): string | null;
