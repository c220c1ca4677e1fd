/**
 * What an answer says it consumed. The only place where token kinds are named and folded: Anthropic's `input_tokens`
 * counts only what stands behind the last breakpoint, so that
 * total input = uncached + cacheRead + cacheWrite5m + cacheWrite1h (docs: prompt caching, tracking performance).
 */
export interface TokenUsage {
  readonly uncachedInput: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly output: number;
  /** What multiplies the price of all of it, as the response names it. */
  readonly speed: 'standard' | 'fast';
  readonly inferenceGeo: string | null;
  readonly serviceTier: string | null;
}

export const NO_USAGE: TokenUsage = {
  uncachedInput: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  output: 0,
  speed: 'standard',
  inferenceGeo: null,
  serviceTier: null,
};

export function totalInput(usage: TokenUsage): number {
  return usage.uncachedInput + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h;
}

/**
 * Folds one `usage` object (of a JSON answer, `message_start` or `message_delta`) into what is known so far. Counters
 * are cumulative, so a later non-null value replaces an earlier one; `message_delta` has no TTL split, so writes beyond
 * the known 1h part are 5m (docs: server tools add 5m breakpoints of their own). Upstreams that do not cache send no
 * cache fields at all: they stay 0.
 */
export function foldUsage(known: TokenUsage, reported: unknown): TokenUsage {
  if (typeof reported !== 'object' || reported === null) return known;
  const fields = reported as Record<string, unknown>;
  const writes = count(fields['cache_creation_input_tokens']) ?? known.cacheWrite5m + known.cacheWrite1h;
  const split = fields['cache_creation'] as Record<string, unknown> | null | undefined;
  const cacheWrite1h = Math.min(writes, count(split?.['ephemeral_1h_input_tokens']) ?? known.cacheWrite1h);
  return {
    uncachedInput: count(fields['input_tokens']) ?? known.uncachedInput,
    cacheRead: count(fields['cache_read_input_tokens']) ?? known.cacheRead,
    cacheWrite5m: writes - cacheWrite1h,
    cacheWrite1h,
    output: count(fields['output_tokens']) ?? known.output,
    speed: fields['speed'] === 'fast' ? 'fast' : known.speed,
    inferenceGeo: text(fields['inference_geo']) ?? known.inferenceGeo,
    serviceTier: text(fields['service_tier']) ?? known.serviceTier,
  };
}

/** Of two calls that made one answer. What multiplies prices is taken from the first. */
export function sumUsage(first: TokenUsage, second: TokenUsage): TokenUsage {
  return {
    ...first,
    uncachedInput: first.uncachedInput + second.uncachedInput,
    cacheRead: first.cacheRead + second.cacheRead,
    cacheWrite5m: first.cacheWrite5m + second.cacheWrite5m,
    cacheWrite1h: first.cacheWrite1h + second.cacheWrite1h,
    output: first.output + second.output,
  };
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
