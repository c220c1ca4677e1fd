import { CACHE_WRITE_1H_MULTIPLIER, CACHE_WRITE_5M_MULTIPLIER, modelName, MODELS, type ModelFacts } from './models.ts';
import { totalInput, type TokenUsage } from './usage.ts';

/** `inference_geo: "us"` multiplies all token prices (docs: data residency). */
const GEO_US_MULTIPLIER = 1.1;
const BATCH_MULTIPLIER = 0.5;

export interface Cost {
  readonly usd: number;
  /** Against the same request without any caching, net of write premiums: negative where writes were never read. */
  readonly savedUsd: number;
}

/** What an answer cost; null where the model is unknown: an unknown price is not a price of zero. */
export function costOf(model: string | null, usage: TokenUsage): Cost | null {
  const name = modelName(model);
  const facts = name === null ? undefined : MODELS[name];
  if (!facts) return null;
  const perInputToken = (facts.inputUsdPerMTok / 1e6) * multiplierOf(facts, usage);
  const perOutputToken = (facts.outputUsdPerMTok / 1e6) * multiplierOf(facts, usage);
  const inputUsd =
    perInputToken *
    (usage.uncachedInput +
      usage.cacheRead * facts.readMultiplier +
      usage.cacheWrite5m * CACHE_WRITE_5M_MULTIPLIER +
      usage.cacheWrite1h * CACHE_WRITE_1H_MULTIPLIER);
  return {
    usd: inputUsd + perOutputToken * usage.output,
    savedUsd: perInputToken * totalInput(usage) - inputUsd,
  };
}

/** Everything that scales a request's prices as a whole; the factors stack (docs: pricing). */
function multiplierOf(facts: ModelFacts, usage: TokenUsage): number {
  let multiplier = 1;
  if (facts.longPrompt && totalInput(usage) > facts.longPrompt.aboveInputTokens)
    multiplier *= facts.longPrompt.multiplier;
  if (usage.speed === 'fast') multiplier *= facts.fastMultiplier ?? 1;
  if (usage.inferenceGeo === 'us' && facts.geoPremium) multiplier *= GEO_US_MULTIPLIER;
  if (usage.serviceTier === 'batch') multiplier *= BATCH_MULTIPLIER;
  return multiplier;
}
