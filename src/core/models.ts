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
  readonly longPrompt?: { readonly aboveInputTokens: number; readonly multiplier: number };
  /** `inference_geo: "us"` costs 1.1 times as much (Claude 4.6 and later). */
  readonly geoPremium: boolean;
}

/** Writes cost the same multiple of the input price on every model. */
export const CACHE_WRITE_5M_MULTIPLIER = 1.25;
export const CACHE_WRITE_1H_MULTIPLIER = 2;

type Optional = Pick<ModelFacts, 'fastMultiplier' | 'longPrompt'>;

function facts(
  inputUsdPerMTok: number,
  outputUsdPerMTok: number,
  readMultiplier: number,
  minimumCacheTokens: number,
  geoPremium: boolean,
  optional: Optional = {},
): ModelFacts {
  return { inputUsdPerMTok, outputUsdPerMTok, readMultiplier, minimumCacheTokens, geoPremium, ...optional };
}

const FAST: Optional = { fastMultiplier: 2 };

export const MODELS: Readonly<Record<string, ModelFacts>> = {
  'claude-fable-5-2': facts(8, 40, 0.025, 512, true, FAST),
  'claude-mythos-5-2': facts(8, 40, 0.025, 512, true),
  'claude-fable-5-1': facts(10, 50, 0.025, 512, true),
  'claude-mythos-5-1': facts(10, 50, 0.025, 512, true),
  'claude-fable-5': facts(10, 50, 0.1, 512, true),
  'claude-mythos-5': facts(10, 50, 0.1, 512, true),
  'claude-opus-5-5': facts(4, 20, 0.05, 512, true, FAST),
  'claude-opus-5': facts(5, 25, 0.1, 512, true, FAST),
  'claude-opus-4-8': facts(5, 25, 0.1, 1024, true, FAST),
  'claude-opus-4-7': facts(5, 25, 0.1, 2048, true),
  'claude-opus-4-6': facts(5, 25, 0.1, 4096, true),
  'claude-opus-4-5': facts(5, 25, 0.1, 4096, false),
  'claude-opus-4-1': facts(15, 75, 0.1, 1024, false),
  'claude-opus-4': facts(15, 75, 0.1, 1024, false),
  'claude-sonnet-5-5': facts(2, 10, 0.05, 512, true),
  'claude-sonnet-5': facts(2, 10, 0.1, 1024, true),
  'claude-sonnet-4-6': facts(3, 15, 0.1, 1024, true),
  'claude-sonnet-4-5': facts(3, 15, 0.1, 1024, false),
  'claude-sonnet-4': facts(3, 15, 0.1, 1024, false),
  'claude-haiku-5-5': facts(0.1, 0.5, 0.1, 512, true, { longPrompt: { aboveInputTokens: 100_000, multiplier: 5 } }),
  'claude-haiku-4-5': facts(1, 5, 0.1, 4096, false),
  'claude-3-5-haiku': facts(0.8, 4, 0.1, 2048, false),
};

/** The name a model has in this table and in metrics: without a date suffix or `-latest`; null where it is unknown. */
export function modelName(model: string | null): string | null {
  if (model === null) return null;
  const name = Object.hasOwn(MODELS, model) ? model : model.replace(/-(?:\d{8}|latest|0)$/, '');
  return Object.hasOwn(MODELS, name) ? name : null;
}
