import { costOf } from '../../core/prices.ts';
import { totalInput, type TokenUsage } from '../../core/usage.ts';
import type { PlanForecast } from '../../prompt/prompt-view.ts';

/**
 * What a plan that was not carried out would have saved on an answer: its cost as it was, less what the plan would have made
 * of its input. null where the model's price is unknown. A first write costs more, so single figures may be negative.
 */
export function observedSavingUsd(model: string, usage: TokenUsage, forecast: PlanForecast): number | null {
  const { readTokens, write5mTokens, write1hTokens, uncachedTokens } = forecast;
  const forecastTokens = readTokens + write5mTokens + write1hTokens + uncachedTokens;
  const scale = forecastTokens > 0 ? totalInput(usage) / forecastTokens : 0; // the forecast counts estimated tokens
  const planned: TokenUsage = {
    ...usage,
    uncachedInput: uncachedTokens * scale,
    cacheRead: readTokens * scale,
    cacheWrite5m: write5mTokens * scale,
    cacheWrite1h: write1hTokens * scale,
  };
  const [actual, would] = [costOf(model, usage), costOf(model, planned)];
  return actual && would ? actual.usd - would.usd : null;
}
