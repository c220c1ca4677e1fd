import { CACHE_WRITE_1H_MULTIPLIER, CACHE_WRITE_5M_MULTIPLIER, modelName, MODELS, type ModelFacts } from './models.ts';
import { totalInput, type TokenUsage } from './usage.ts';

/** `inference_geo: "us"` multiplies all token prices (docs: data residency). */
const GEO_US_MULTIPLIER = 1.1;
const BATCH_MULTIPLIER = 0.5;

export interface Cost {
  readonly usd: number;
  /** Against the same request without any caching: what reads saved, less the premiums. Negative where nothing was read. */
  readonly savedUsd: number;
  /** What was read would have cost so much more at the price of input. */
  readonly readSavingUsd: number;
  /** What was written would have cost so much less at the price of input. */
  readonly writePremiumUsd: number;
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
  const readSavingUsd = perInputToken * usage.cacheRead * (1 - facts.readMultiplier);
  const writePremiumUsd =
    perInputToken *
    (usage.cacheWrite5m * (CACHE_WRITE_5M_MULTIPLIER - 1) + usage.cacheWrite1h * (CACHE_WRITE_1H_MULTIPLIER - 1));
  const usd = inputUsd + perOutputToken * usage.output;
  return { usd, savedUsd: readSavingUsd - writePremiumUsd, readSavingUsd, writePremiumUsd };
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
