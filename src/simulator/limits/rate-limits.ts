import type { Clock } from '../../core/clock.ts';
import type { Model } from '../model/models.ts';
import { type ApiRefusal, refuse } from '../wire/api-error.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

/**
 * Requests, input tokens and output tokens a minute, by model class (docs: rate limits). Cache reads don't count as input;
 * output counts as it is produced, whatever max_tokens says.
 */
interface ModelLimits {
  readonly requestsPerMinute: number;
  readonly inputTokensPerMinute: number;
  readonly outputTokensPerMinute: number;
}

export interface RateLimitSettings {
  /** Each class of models has these limits for itself … */
  readonly eachClass: ModelLimits;
  /** … but these, by class (`opus-4`, `sonnet-4`, `haiku-4-5`, `fable-5`, …). */
  readonly classes?: Readonly<Record<string, ModelLimits>>;
  /** Who shares a limit; the API's are an organization's, and a workspace may be capped for itself. Default: organization. */
  readonly scope?: 'organization' | 'workspace';
}

export interface RateLimits {
  /** Takes a request and its input from the buckets, or says 429 and takes nothing. */
  admit(workspace: string, model: Model, inputTokens: number): { readonly kind: 'admitted' } | ApiRefusal;
  spendOutput(workspace: string, model: Model, tokens: number): void;
  headers(workspace: string, model: Model): Record<string, string>;
  clear(): void;
}

interface Buckets {
  readonly requests: TokenBucket;
  readonly input: TokenBucket;
  readonly output: TokenBucket;
}

export function createRateLimits(settings: RateLimitSettings | 'none', clock: Clock): RateLimits {
  if (settings === 'none') return UNLIMITED;
  const all = new Map<string, Buckets>();
  const bucketsOf = (workspace: string, model: Model) => {
    const key = settings.scope === 'workspace' ? `${workspace}/${model.limitClass}` : model.limitClass;
    const buckets = all.get(key) ?? createBuckets(settings.classes?.[model.limitClass] ?? settings.eachClass);
    all.set(key, buckets);
    return buckets;
  };
  return {
    admit: (workspace, model, inputTokens) => admit(bucketsOf(workspace, model), model, inputTokens, clock),
    spendOutput: (workspace, model, tokens) => bucketsOf(workspace, model).output.take(tokens, clock.nowMs()),
    headers: (workspace, model) => limitHeaders(bucketsOf(workspace, model), clock),
    clear: () => all.clear(),
  };
}

const UNLIMITED: RateLimits = {
  admit: () => ({ kind: 'admitted' }),
  spendOutput: () => undefined,
  headers: () => ({}),
  clear: () => undefined,
};

function createBuckets(limits: ModelLimits): Buckets {
  return {
    requests: createTokenBucket(limits.requestsPerMinute),
    input: createTokenBucket(limits.inputTokensPerMinute),
    output: createTokenBucket(limits.outputTokensPerMinute),
  };
}

function admit(
  buckets: Buckets,
  model: Model,
  inputTokens: number,
  clock: Clock,
): { readonly kind: 'admitted' } | ApiRefusal {
  const nowMs = clock.nowMs();
  const waits = [
    { waitMs: buckets.requests.waitMs(1, nowMs), limit: `${buckets.requests.perMinute} requests per minute` },
    { waitMs: buckets.input.waitMs(inputTokens, nowMs), limit: `${buckets.input.perMinute} input tokens per minute` },
    { waitMs: buckets.output.waitMs(1, nowMs), limit: `${buckets.output.perMinute} output tokens per minute` },
  ];
  const worst = waits.reduce((a, b) => (b.waitMs > a.waitMs ? b : a));
  if (worst.waitMs > 0) {
    const message = `This request would exceed your organization's rate limit of ${worst.limit} (model: ${model.id}). Please try again later.`;
    return refuse(429, message, { headers: { 'retry-after': String(Math.ceil(worst.waitMs / 1000)) } });
  }
  buckets.requests.take(1, nowMs);
  buckets.input.take(inputTokens, nowMs);
  return { kind: 'admitted' };
}

/** `tokens` shows the tighter of the two token limits; token figures are rounded to the nearest thousand. */
function limitHeaders({ requests, input, output }: Buckets, clock: Clock): Record<string, string> {
  const nowMs = clock.nowMs();
  const tighter = input.level(nowMs) / input.perMinute <= output.level(nowMs) / output.perMinute ? input : output;
  return {
    ...headersOf('requests', requests, 1, clock),
    ...headersOf('input-tokens', input, 1000, clock),
    ...headersOf('output-tokens', output, 1000, clock),
    ...headersOf('tokens', tighter, 1000, clock),
  };
}

function headersOf(kind: string, bucket: TokenBucket, roundTo: number, clock: Clock): Record<string, string> {
  const nowMs = clock.nowMs();
  const remaining = Math.max(0, bucket.level(nowMs));
  const shown = roundTo === 1 ? Math.floor(remaining) : Math.round(remaining / roundTo) * roundTo;
  const fullAt = new Date(Math.ceil((clock.wallMs() + bucket.waitMs(bucket.perMinute, nowMs)) / 1000) * 1000);
  const name = `anthropic-ratelimit-${kind}`;
  return {
    [`${name}-limit`]: String(bucket.perMinute),
    [`${name}-remaining`]: String(shown),
    [`${name}-reset`]: fullAt.toISOString().replace('.000Z', 'Z'),
  };
}
