import type { Hono } from 'hono';
import type { Config, Secrets } from '../config/config.ts';
import type { BreakerState } from '../core/circuit-breaker.ts';
import type { Clock } from '../core/clock.ts';
import { createRetryBudget } from '../core/retry-budget.ts';
import { createApp } from '../http/app.ts';
import type { ExchangeOf } from '../http/exchange.ts';
import { createOpenExchanges } from '../http/open-exchanges.ts';
import { createTenantDirectory, type TenantDirectory } from '../http/tenants.ts';
import { createHitRatio } from '../metrics/hit-ratio.ts';
import { createTenantLabels } from '../metrics/labels.ts';
import type { GaugeBoard, Metrics, MetricsPage } from '../metrics/metrics.ts';
import type { CacheSettings } from '../pipeline/cache/cache-target.ts';
import { createService } from '../pipeline/create-service.ts';
import { createFleet, type FleetEntry } from '../pipeline/fleet.ts';
import { publishGauges } from '../pipeline/gauges.ts';
import { promptDepths } from '../pipeline/cache/prompt-depths.ts';
import type { ExchangeRecord } from '../pipeline/with-metering.ts';
import { hasElsewhere } from '../pipeline/with-routing.ts';
import { createPromptMemory } from '../prompt/prompt-memory.ts';
import type { StateEngine } from '../state/engine.ts';
import { createRecent } from '../state/recent.ts';
import { createClaudeUpstream } from '../upstream/claude-upstream.ts';
import type { Transport } from '../upstream/transport.ts';

/**
 * The gateway, put together from the ports that its runtime brings. Nothing here knows which runtime that is. Settings are
 * replaced whole on a reload; what is learned and what is held lives in the engine and outlives it.
 */
export interface Gateway {
  readonly app: Hono;
  readonly engine: StateEngine;
  readonly openExchanges: number;
  /** From the next request on; what runs keeps what it started with, what waits is served by the new limits. */
  reload(config: Config, secrets: Secrets): void;
  /** Not ready any more; what arrives is served all the same. */
  startDraining(): void;
  /** Ends every exchange now: streams by an `error` event, what waits by a refusal. Returns how many there were. */
  stopExchanges(): number;
  close(): Promise<void>;
}

export interface GatewayParts {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly platform: Platform;
  readonly onRecord: (record: ExchangeRecord) => void;
  readonly onInternalError: (error: unknown, requestId: string) => void;
  /** An upstream is taken out of service, tried again, or back. */
  readonly onBreaker: (upstreamId: string, from: BreakerState, to: BreakerState) => void;
}

/** What differs between runtimes. */
export interface Platform {
  readonly clock: Clock;
  readonly metrics: Metrics & GaugeBoard & MetricsPage;
  readonly engine: StateEngine;
  readonly createTransport: (options: { readonly bodyIdleMs: () => number }) => Transport;
  readonly exchangeOf: ExchangeOf;
  readonly isUtf8: (bytes: Uint8Array) => boolean;
  readonly sha256Hex: (text: string) => string;
  /** In [0, 1). */
  readonly random: () => number;
  /** How many positions of prompts are remembered, at some 130 bytes each; what suits a server where it is left out. */
  readonly maxPositions?: number;
}

interface Settings {
  readonly config: Config;
  readonly directory: TenantDirectory;
  /** null: the console is off. */
  readonly consoleTokenDigest: string | null;
}

/** Requests whose story an operator can still ask for. */
const RECENT_REQUESTS = 1_000;

export function composeGateway({ config, secrets, platform, ...told }: GatewayParts): Gateway {
  const { clock, engine, metrics, sha256Hex } = platform;
  const tenantLabels = createTenantLabels();
  const hitRatio = createHitRatio(clock);
  const memory = createPromptMemory(platform.maxPositions);
  const recent = createRecent<ExchangeRecord>(RECENT_REQUESTS);
  const transport = platform.createTransport({ bodyIdleMs: () => settings.config.limits.streamIdleMs });
  const fleet = createFleet();
  const openExchanges = createOpenExchanges();
  const apply = (nextConfig: Config, nextSecrets: Secrets): Settings => {
    fleet.replace(fleetOf(nextConfig, nextSecrets, transport, platform));
    for (const { id, maxConcurrency } of nextConfig.upstreams) engine.capacity.setCeiling(id, maxConcurrency);
    const next = settingsOf(nextConfig, nextSecrets, sha256Hex);
    for (const tenant of next.directory.tenants) engine.slots.setLimit(tenant.id, tenant.slots.limit);
    return next;
  };
  let settings: Settings = apply(config, secrets);

  const tenants = () => settings.directory.tenants;
  metrics.onScrape(() => publishGauges(metrics, { ...engine, clock, fleet, hitRatio, tenantLabels, tenants }));

  const cacheSettings = (): CacheSettings => cacheSettingsOf(settings.config.cache);
  const service = createService({
    ...engine,
    ...memory,
    clock,
    metrics,
    tenantLabels,
    hitRatio,
    fleet,
    cacheSettings,
    retryBudget: createRetryBudget(),
    maxRetries: () => settings.config.limits.retries,
    random: platform.random,
    hasElsewhere: (request, context, failedAt) => hasElsewhere({ fleet, clock }, request, context, failedAt),
    depthsIn: promptDepths({ clock, ...memory, cacheSettings }),
    relayLimits: () => settings.config.limits,
    stopped: openExchanges.stopped,
    onBreaker: told.onBreaker,
    onInternalError: told.onInternalError,
    onRecord(record) {
      recent.add(record.id, record);
      told.onRecord(record);
    },
  });
  const app = createApp({
    clock,
    service,
    exchangeOf: platform.exchangeOf,
    identify: (headers) => settings.directory.identify(headers),
    mode: () => settings.config.mode,
    limits: () => settings.config.limits,
    openExchanges,
    metrics,
    tenantLabels,
    metricsPage: (accept) => metrics.page(accept),
    health: () => engine.health(),
    isUtf8: platform.isUtf8,
    console: {
      tokenDigest: () => settings.consoleTokenDigest,
      sha256Hex,
      request: recent.get,
      requests: recent.list,
      volatilePrefixes: () => memory.volatile.found(clock.nowMs()),
    },
    onInternalError: told.onInternalError,
  });
  return {
    app,
    engine,
    get openExchanges() {
      return openExchanges.count;
    },
    reload(nextConfig, nextSecrets) {
      settings = apply(nextConfig, nextSecrets);
    },
    startDraining: () => openExchanges.startDraining(),
    stopExchanges: () => openExchanges.stopAll(),
    async close() {
      await transport.close();
      await engine.close();
    },
  };
}

function cacheSettingsOf({ singleFlight, maxHoldMs, ttl, prolong }: Config['cache']): CacheSettings {
  return { singleFlight, maxHoldMs, ttl, prolong: prolong === 'learn' ? prolong : prolong === 'yes' };
}

function settingsOf(config: Config, secrets: Secrets, sha256Hex: Platform['sha256Hex']): Settings {
  const token = config.console.enabled ? secrets.consoleToken : null;
  const consoleTokenDigest = token === null ? null : sha256Hex(token);
  return { config, directory: createTenantDirectory(config, sha256Hex), consoleTokenDigest };
}

function fleetOf(config: Config, secrets: Secrets, transport: Transport, platform: Platform): FleetEntry[] {
  return config.upstreams.map(({ id, baseUrl, credential, cacheDomain, stripsAttribution }) => {
    const apiKey = secrets.upstreamKeys.get(id) ?? null;
    const upstream = createClaudeUpstream({ id, baseUrl, apiKey, transport, clock: platform.clock });
    const credentialMark = platform.sha256Hex(`${baseUrl}\n${apiKey}`);
    return { routed: { upstream, credential, cacheDomain, stripsAttribution }, credentialMark };
  });
}
