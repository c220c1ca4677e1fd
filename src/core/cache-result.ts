import { totalInput, type TokenUsage } from './usage.ts';

/**
 * How the prompt cache treated a request, by what was billed: `hit` when at least four fifths of the input were read,
 * `partial` when any of it was, `miss` when it was only written, `off` when nothing was marked or long enough.
 */
export type CacheResult = 'hit' | 'partial' | 'miss' | 'off';

const HIT_SHARE = 0.8;

export function cacheResultOf(usage: TokenUsage): CacheResult {
  if (usage.cacheRead > 0) return usage.cacheRead >= HIT_SHARE * totalInput(usage) ? 'hit' : 'partial';
  return usage.cacheWrite5m + usage.cacheWrite1h > 0 ? 'miss' : 'off';
}
