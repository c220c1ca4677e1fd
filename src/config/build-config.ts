/**
 * Settings that passed every check → Config and Secrets. Here credentials part from the rest: whatever goes into the
 * Config may be logged.
 */
import type { Config, ConfigPlatform, Secrets, TenantConfig, UpstreamConfig } from './config.ts';
import type { ListenOverrides, Override } from './listen-overrides.ts';
import type { GatewayKey } from './read-text.ts';
import { DEFAULT_BASE_URL, type Settings } from './schema.ts';

type UpstreamSettings = NonNullable<Settings['upstreams']>[number];
type TenantSettings = Settings['tenants'][number];

export interface BuiltConfig {
  readonly config: Config;
  readonly secrets: Secrets;
}

export function buildConfig(settings: Settings, overrides: ListenOverrides, platform: ConfigPlatform): BuiltConfig {
  const upstreams = settings.upstreams ?? [DEFAULT_UPSTREAM];
  const upstreamIds = upstreams.map(({ id }) => id);
  const { cache, console, limits, listen, tenants } = settings;
  const config: Config = {
    listen: { host: chosen(overrides.host, listen.host), port: chosen(overrides.port, listen.port) },
    publicUrl: settings.publicUrl ?? null,
    mode: tenants.length > 0 ? 'managed' : 'pass-through',
    upstreams: upstreams.map(buildUpstream),
    tenants: tenants.map((tenant) => buildTenant(tenant, upstreamIds, platform)),
    cache: {
      singleFlight: cache.singleFlight,
      maxHoldMs: cache.maxHold,
      ttl: cache.ttl,
      prolong: cache.prolong,
      minReuse: cache.minReuse,
    },
    state:
      settings.state.kind === 'redis'
        ? { kind: 'redis', urlDigest: platform.sha256Hex(settings.state.url) }
        : { kind: 'memory' },
    console: { enabled: console.enabled ?? console.token !== undefined },
    limits: {
      bodyBytes: limits.bodyBytes,
      headersTimeoutMs: limits.headersTimeout,
      retries: limits.retries,
      streamIdleMs: limits.streamIdle,
      drainMs: limits.drain,
      drainNoticeMs: limits.drainNotice,
      hangUpDrainMs: limits.hangUpDrain,
    },
  };
  return { config: freezeDeep(config), secrets: buildSecrets(upstreams, settings) };
}

const DEFAULT_UPSTREAM: UpstreamSettings = {
  id: 'main',
  protocol: 'anthropic',
  baseUrl: DEFAULT_BASE_URL,
  stripsAttribution: true,
};

/** One key has one account's limits behind it. Behind callers' own keys is an account each: only a runaway is stopped. */
const MAX_CONCURRENCY = { own: 256, caller: 10_000 };

const chosen = <T>(override: Override<T>, otherwise: T): T => (override.kind === 'set' ? override.value : otherwise);

function buildUpstream({
  id,
  protocol,
  baseUrl,
  apiKey,
  cacheDomain,
  stripsAttribution,
  maxConcurrency,
}: UpstreamSettings): UpstreamConfig {
  const credential = apiKey === undefined ? 'caller' : 'own';
  return {
    id,
    protocol,
    baseUrl,
    credential,
    cacheDomain: cacheDomain ?? id,
    stripsAttribution,
    maxConcurrency: maxConcurrency ?? MAX_CONCURRENCY[credential],
  };
}

function buildTenant(tenant: TenantSettings, upstreamIds: readonly string[], platform: ConfigPlatform): TenantConfig {
  const { id, keys, maxConcurrency, queue, weight, cache, hangUp, recover, upstreams, budget } = tenant;
  return {
    id,
    keyDigests: keys.map((key) => digestOf(key, platform)),
    maxConcurrency,
    queue: { max: queue.max, timeoutMs: queue.timeout },
    weight,
    cache,
    hangUp,
    recover,
    upstreams: upstreams ?? [...upstreamIds],
    budget: budget ?? null,
  };
}

const digestOf = (key: GatewayKey, platform: ConfigPlatform): string =>
  key.kind === 'digest' ? key.hex : platform.sha256Hex(key.text);

function buildSecrets(
  upstreams: readonly UpstreamSettings[],
  { console, metrics, state }: Pick<Settings, 'console' | 'metrics' | 'state'>,
): Secrets {
  const upstreamKeys = new Map<string, string>();
  for (const { id, apiKey } of upstreams) if (apiKey !== undefined) upstreamKeys.set(id, apiKey);
  return Object.freeze({
    upstreamKeys,
    consoleToken: console.token ?? null,
    metricsToken: metrics.token ?? null,
    stateUrl: state.kind === 'redis' ? state.url : null,
  });
}

function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freezeDeep);
    Object.freeze(value);
  }
  return value;
}
