/**
 * What a settings file becomes. A Config is parsed once, frozen all the way down and passed to whoever needs it.
 * It can be logged: credentials live in Secrets and nowhere else, and a tenant's key is here only as its digest.
 * Durations are milliseconds, sizes are bytes.
 */

export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  /** Where callers reach the gateway, without `/v1`; null: as each request says. */
  readonly publicUrl: string | null;
  /** `managed` exactly when tenants are configured: callers then hold gateway keys and upstream keys stay here. */
  readonly mode: 'pass-through' | 'managed';
  /** Never empty. */
  readonly upstreams: readonly UpstreamConfig[];
  readonly tenants: readonly TenantConfig[];
  readonly cache: CacheConfig;
  /** Where it is is in Secrets; its digest tells one place from another. */
  readonly state: { readonly kind: 'memory' } | { readonly kind: 'redis'; readonly urlDigest: string };
  readonly console: { readonly enabled: boolean };
  readonly limits: LimitsConfig;
}

export interface UpstreamConfig {
  readonly id: string;
  readonly protocol: 'anthropic' | 'openai';
  /** Without a slash at the end and without `/v1`: the gateway appends the caller's path. */
  readonly baseUrl: string;
  /** `own`: Secrets.upstreamKeys holds the key. `caller`: the caller's credential is forwarded. */
  readonly credential: 'own' | 'caller';
  /** Upstreams of one Claude workspace share a prompt cache, and so a domain. The upstream's id when left out. */
  readonly cacheDomain: string;
  /** Whether it takes Claude Code's attribution block out of the prompt before it caches, as api.anthropic.com does. */
  readonly stripsAttribution: boolean;
  readonly maxConcurrency: number;
}

export interface TenantConfig {
  readonly id: string;
  /** Lower-case SHA-256 hex of each gateway key. Never empty; no digest belongs to two tenants. */
  readonly keyDigests: readonly string[];
  readonly maxConcurrency: number;
  /** `max` 0: nobody waits, a request without a slot is refused at once. */
  readonly queue: { readonly max: number; readonly timeoutMs: number };
  readonly weight: number;
  readonly cache: 'auto' | 'observe' | 'off';
  /** What becomes of an answer whose caller is gone: `drain` reads it on, up to LimitsConfig.hangUpDrainMs. */
  readonly hangUp: 'cancel' | 'drain';
  /** Whether a stream that breaks after content is continued where the model allows it. */
  readonly recover: 'off' | 'continue';
  /** Ids of Config.upstreams; never empty. */
  readonly upstreams: readonly string[];
  readonly budget: { readonly usd: number; readonly per: 'hour' | 'day' | 'month' } | null;
}

interface CacheConfig {
  readonly singleFlight: boolean;
  readonly maxHoldMs: number;
  readonly ttl: 'auto' | '5m' | '1h';
  /** Whether a 1h marker above a 5m entry keeps the whole prefix for the hour: not documented, so it can be learned. */
  readonly prolong: 'learn' | 'yes' | 'no';
  readonly minReuse: 'auto' | number;
}

interface LimitsConfig {
  readonly bodyBytes: number;
  readonly headersTimeoutMs: number;
  /** How often a call that failed before its first content is made again; 0 leaves that to callers. */
  readonly retries: number;
  readonly streamIdleMs: number;
  /** Counted from the signal, so that it holds `drainNoticeMs`. */
  readonly drainMs: number;
  /** How long the port stays open after SIGTERM, while /readyz tells balancers to go elsewhere. */
  readonly drainNoticeMs: number;
  /** How long an answer whose caller is gone is read on. */
  readonly hangUpDrainMs: number;
}

export interface Secrets {
  /** Upstream id → its API key, for each upstream whose credential is `own`. */
  readonly upstreamKeys: ReadonlyMap<string, string>;
  readonly consoleToken: string | null;
  /** null: /metrics is open to all who reach it. */
  readonly metricsToken: string | null;
  /** Of Redis, with its credentials; null: the memory of the process. */
  readonly stateUrl: string | null;
}

/** Something an operator should read: it stops the start (in `invalid`) or is worth knowing (in `notices`). */
export interface Problem {
  /** Like `tenants[2].queue.timeout`; empty when it is about the file as a whole. */
  readonly path: string;
  /** Counted from 1 in the settings text; left out when it comes from the environment or from a default. */
  readonly line?: number;
  readonly message: string;
  readonly mend: string;
}

export type ConfigResult =
  | { readonly kind: 'ok'; readonly config: Config; readonly secrets: Secrets; readonly notices: readonly Problem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] };

export type Environment = Readonly<Record<string, string | undefined>>;

/** What parsing needs of the runtime. `sha256Hex` digests the UTF-8 bytes of the text. */
export interface ConfigPlatform {
  readonly sha256Hex: (text: string) => string;
}
