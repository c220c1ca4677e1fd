/**
 * What the console's page and its server say to each other, as JSON. Never a word of a prompt or an answer, and no key.
 * Times of day are milliseconds since 1970 (`…AtMs`), durations milliseconds (`…Ms`), money US dollars (`…Usd`), shares 0 to 1.
 * `null` means not known or never happened; it is never a number in disguise.
 *
 *   GET live                 event stream: `history` once, then a `snapshot` a second (every other on Workers)
 *   GET requests             ?limit=1..500 &tenant= &model= &cache= &fault= &before=ID    { requests: RequestRow[] }, newest first
 *   GET requests/:id         RequestStory; 404 { error }
 *   GET prefixes             PrefixForest
 *   GET volatile-prefixes    { volatilePrefixes: VolatileAdvice[] }
 *   GET savings              ?by=tenant|model|day    SavingsReport
 *   GET savings.csv          the same by day, tenant and model; text/csv
 *
 * All under /console/api, with `Authorization: Bearer <console.token>`.
 */
export type CacheLabel = 'hit' | 'partial' | 'miss' | 'off';
export type Fault = 'caller' | 'gateway' | 'upstream';

/** The figures of the last half hour, oldest first; a column an array of one length. */
export interface History {
  readonly bucketMs: number;
  readonly buckets: readonly Bucket[];
}

/** What ended within `bucketMs` from `startAtMs` on. A snapshot brings the last two: the newest is still growing. */
export interface Bucket {
  readonly startAtMs: number;
  readonly requests: number;
  /** Those with a `fault`, but for callers that left: here and everywhere. */
  readonly errors: number;
  readonly retries: number;
  /** Of streams and answers with content. null: there were none. */
  readonly ttftP50Ms: number | null;
  readonly ttftP95Ms: number | null;
  /** Of those that read all they could, and of the rest: what a hit gains. */
  readonly hitTtftP50Ms: number | null;
  readonly missTtftP50Ms: number | null;
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  readonly savedUsd: number;
  readonly queueP95Ms: number | null;
}

export interface Snapshot {
  readonly atMs: number;
  readonly gateway: GatewayState;
  readonly totals: Totals;
  readonly recent: Recent;
  /** Longest running first, at most 200; `liveCount` counts all. */
  readonly live: readonly LiveExchange[];
  readonly liveCount: number;
  readonly tenants: readonly TenantStanding[];
  readonly upstreams: readonly UpstreamStanding[];
  readonly buckets: readonly Bucket[];
}

export interface GatewayState {
  readonly mode: 'managed' | 'pass-through';
  readonly state: 'ready' | 'draining' | 'degraded';
  /** Why it is degraded. */
  readonly because: string | null;
  /** Since when these figures are counted. */
  readonly sinceAtMs: number;
  /** What they cover: one process, or all isolates of a Worker as of their last report. */
  readonly scope: 'process' | 'worker';
}

/** Since `sinceAtMs`. `inputTokens` are all of the input, here and everywhere: read, written and neither. `savedUsd`: against the same requests without any caching, net of write premiums; may be negative. */
export interface Totals {
  readonly requests: number;
  readonly errors: number;
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  readonly savedUsd: number;
}

/** Of the last five minutes. */
export interface Recent {
  readonly requests: number;
  /** The errors among them, by who has to look into them. */
  readonly faults: Readonly<Record<Fault, number>>;
  readonly ttftP50Ms: number | null;
  readonly ttftP95Ms: number | null;
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
}

export interface LiveExchange {
  readonly id: string;
  readonly tenant: string;
  readonly model: string | null;
  readonly operation: string;
  readonly startedAtMs: number;
  /**
   * `queue`: for its tenant's or upstream's slot; `hold`: for another's write; `pause`: a call failed and it will ask again;
   * `upstream`: sent, no content yet.
   */
  readonly phase: 'queue' | 'hold' | 'pause' | 'upstream' | 'streaming';
  readonly upstream: string | null;
  /** null until its first content. */
  readonly cache: CacheLabel | null;
  readonly ttftMs: number | null;
  /** Estimated from the bytes of its deltas: Anthropic says the true number at the end only. */
  readonly outputTokensEstimate: number;
  readonly attempts: number;
}

/** `…` of the last five minutes where nothing else is said. */
export interface TenantStanding {
  readonly id: string;
  readonly inUse: number;
  readonly limit: number;
  readonly waiting: number;
  readonly weight: number;
  readonly requests: number;
  readonly errors: number;
  /** Of all tenants' input tokens. */
  readonly share: number;
  readonly hitRatio: number | null;
  readonly queueP95Ms: number | null;
  readonly ttftP95Ms: number | null;
  /** Since `sinceAtMs`. */
  readonly costUsd: number;
  readonly savedUsd: number;
  /** null: it has none. */
  readonly budget: { readonly usd: number; readonly spentUsd: number; readonly per: 'hour' | 'day' | 'month' } | null;
}

export interface UpstreamStanding {
  readonly id: string;
  readonly cacheDomain: string;
  readonly inUse: number;
  /** The adaptive limit now. */
  readonly limit: number;
  /** What it never passes. */
  readonly ceiling: number;
  readonly waiting: number;
  readonly breaker: 'closed' | 'half_open' | 'open' | 'credential_refused';
  /** Calls of the last five minutes by outcome. */
  readonly attempts: Readonly<Record<string, number>>;
  readonly quotas: readonly Quota[];
}

export interface Quota {
  readonly modelClass: string;
  /** As in Anthropic's headers: `requests`, `input_tokens`, `output_tokens`. */
  readonly kind: string;
  readonly remaining: number;
  /** null: no header has said. */
  readonly limit: number | null;
}

export interface RequestRow {
  readonly id: string;
  readonly tenant: string;
  readonly model: string | null;
  readonly operation: string;
  readonly receivedAtMs: number;
  readonly durationMs: number;
  readonly ttftMs: number | null;
  readonly status: number;
  readonly end: string;
  readonly fault: Fault | null;
  readonly cache: CacheLabel;
  readonly cacheReason: string | null;
  readonly attempts: number;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly costUsd: number | null;
  readonly savedUsd: number | null;
}

/** One request's own story. All `at…Ms` of the timeline are milliseconds since it was received. */
export interface RequestStory extends RequestRow {
  readonly isStream: boolean;
  /** The code of our refusal (docs/errors.md). */
  readonly refusal: string | null;
  readonly timeline: readonly TimelineStep[];
  readonly tokens: TokenCounts | null;
  readonly cacheStory: CacheStoryView | null;
  readonly calls: readonly CallView[];
}

/** In order of `atMs`, without overlap but for the calls. */
export interface TimelineStep {
  /**
   * `gateway`: its own work; `queue`, `hold`: waits; `pause`: until it may ask again after a call that failed; `call`: one
   * attempt, to its first content or its end; `stream`: content to the end. A call that goes on with a stream that broke
   * lies within `stream`.
   */
  readonly kind: 'gateway' | 'queue' | 'hold' | 'pause' | 'call' | 'stream';
  readonly atMs: number;
  readonly durationMs: number;
  /** For a `call`: which, from 0. */
  readonly call: number | null;
}

export interface TokenCounts {
  readonly uncached: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly output: number;
}

export interface CallView {
  readonly upstream: string;
  readonly outcome: string;
  readonly status: number | null;
  readonly atMs: number;
  readonly durationMs: number;
}

export interface CacheStoryView {
  readonly result: CacheLabel;
  readonly reason: string | null;
  /** Where it parted from what was known, as `system[1]`, and at which byte of the body. */
  readonly at: string | null;
  readonly byte: number | null;
  readonly added: readonly { readonly place: string; readonly ttl: string; readonly why: string }[];
  readonly flight: string;
  readonly expected: TokenExpectation;
}

export interface TokenExpectation {
  readonly readTokens: number;
  readonly write5mTokens: number;
  readonly write1hTokens: number;
  readonly uncachedTokens: number;
}

/** Prefixes that requests share, a tree per cache domain and model. Conversations are counted, not listed. */
export interface PrefixForest {
  readonly atMs: number;
  readonly trees: readonly PrefixTree[];
  /** How many nodes are known beyond those that are shown. */
  readonly hiddenNodes: number;
  /**
   * What was read and written and ends at none of the nodes shown: in conversations, in prefixes that are hidden or
   * forgotten. With it, the figures of the nodes add up to what usage said.
   */
  readonly elsewhere: { readonly readTokens: number; readonly writeTokens: number };
}

export interface PrefixTree {
  readonly domain: string;
  readonly model: string;
  readonly roots: readonly PrefixNode[];
}

export interface PrefixNode {
  /** Tells it from others and nothing about its text. */
  readonly id: string;
  /** Where it ends, as `tools`, `system[1]`, `messages[0]`. */
  readonly place: string;
  /** From the start of the prompt to its end. */
  readonly tokens: number;
  readonly requests: number;
  /** Those that share it, the busiest first, at most 20; `tenantCount` counts all. */
  readonly tenants: readonly string[];
  readonly tenantCount: number;
  /** Conversations that stand on it and were heard of within the hour. */
  readonly conversations: number;
  readonly lastUsedAtMs: number;
  /** Readable until then, if nobody reads it before; null: cold. */
  readonly warmUntilMs: number | null;
  readonly ttl: '5m' | '1h' | null;
  /** Of the tokens between its parent's end and its own: how many were read and written, since it is known. */
  readonly readTokens: number;
  readonly writeTokens: number;
  /** Premium paid for those writes, and what those reads saved, net of that; null: the model's price is not known. */
  readonly writeCostUsd: number | null;
  readonly savedUsd: number | null;
  readonly children: readonly PrefixNode[];
}

/** A block that changes in every request and spoils what stands behind it. */
export interface VolatileAdvice {
  readonly tenant: string;
  readonly model: string;
  readonly place: string;
  readonly requests: number;
  readonly changes: number;
  readonly tokensBehind: number;
  readonly requestsPerDay: number;
  /** What it costs a day that the tokens behind it cannot be read; null where the model's price is not known. */
  readonly wastedUsdPerDay: number | null;
}

/** What was spent and what caching saved, re-derivable from the raw token counters and the price list. */
export interface SavingsReport {
  readonly sinceAtMs: number;
  readonly atMs: number;
  readonly by: 'tenant' | 'model' | 'day';
  readonly rows: readonly SavingsRow[];
  readonly total: SavingsRow;
}

export interface SavingsRow {
  /** The tenant, the model, or the UTC day as 2026-11-22. */
  readonly name: string;
  readonly requests: number;
  readonly tokens: TokenCounts;
  readonly costUsd: number;
  /** The same requests without any caching. */
  readonly withoutCacheUsd: number;
  /** Premium paid for writes, included in `costUsd`. */
  readonly writePremiumUsd: number;
  readonly savedUsd: number;
}
