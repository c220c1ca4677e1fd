import type { Hono } from 'hono';
import type { Config, Secrets } from '../config/config.ts';
import type { BreakerState } from '../core/failures/circuit-breaker.ts';
import type { Clock } from '../core/clock.ts';
import { createRetryBudget } from '../core/failures/retry-budget.ts';
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
import { createLiveExchanges } from '../pipeline/live-exchanges.ts';
import { readGauges } from '../pipeline/gauges.ts';
import { promptDepths } from '../pipeline/cache/prompt-depths.ts';
import type { ExchangeRecord } from '../pipeline/exchange-record.ts';
import { hasElsewhere } from '../pipeline/with-routing.ts';
import { createPromptMemory } from '../prompt/prompt-memory.ts';
import { createRequestReader } from '../prompt/scan/read-request.ts';
import type { ScanMemory } from '../prompt/scan/scan-memory.ts';
import type { StateEngine } from '../state/engine.ts';
import { createClaudeUpstream } from '../upstream/claude-upstream.ts';
import type { Transport } from '../upstream/transport.ts';
import { composeConsole, type ConsolePlatform } from './compose-console.ts';

/**
 * The gateway, put together from the ports that its runtime brings. Nothing here knows which runtime that is. Settings are
 * replaced whole on a reload; what is learned and what is held lives in the engine and outlives it.
 */
export interface Gateway {
  readonly app: Hono;
  readonly engine: StateEngine;
  readonly openExchanges: number;
  /** Those of them that the console lists. */
  readonly liveExchanges: number;
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
  /** Scans against the bodies before; left out where there is no room to hold them. */
  readonly scanMemory?: ScanMemory;
  readonly sha256Hex: (text: string) => string;
  /** In [0, 1). */
  readonly random: () => number;
  /** How many positions of prompts are remembered, at some 130 bytes each; what suits a server where it is left out. */
  readonly maxPositions?: number;
  readonly console: ConsolePlatform;
}

interface Settings {
  readonly config: Config;
  readonly directory: TenantDirectory;
  /** null: the console is off. */
  readonly consoleTokenDigest: string | null;
  /** null: /metrics is open. */
  readonly metricsTokenDigest: string | null;
}

export function composeGateway({ config, secrets, platform, ...told }: GatewayParts): Gateway {
  const { clock, engine, metrics, sha256Hex } = platform;
  const tenantLabels = createTenantLabels();
  const hitRatio = createHitRatio(clock);
  const memory = createPromptMemory(platform.maxPositions);
  const transport = platform.createTransport({ bodyIdleMs: () => settings.config.limits.streamIdleMs });
  const fleet = createFleet();
  const openExchanges = createOpenExchanges();
  const liveExchanges = createLiveExchanges();
  const apply = (nextConfig: Config, nextSecrets: Secrets): Settings => {
    fleet.replace(fleetOf(nextConfig, nextSecrets, transport, platform));
    for (const { id, maxConcurrency } of nextConfig.upstreams) engine.capacity.setCeiling(id, maxConcurrency);
    const next = settingsOf(nextConfig, nextSecrets, sha256Hex);
    for (const tenant of next.directory.tenants) engine.slots.setLimit(tenant.id, tenant.slots.limit);
    return next;
  };
  let settings: Settings = apply(config, secrets);

  const tenants = () => settings.directory.tenants;
  const retryBudget = createRetryBudget();
  const volatilePrefixes = () => memory.volatile.found(clock.nowMs());
  const gaugeSources = { ...engine, clock, fleet, hitRatio, tenantLabels, tenants, retryBudget, volatilePrefixes };
  metrics.onScrape(() => readGauges(metrics, gaugeSources));

  const consoleParts = { clock, engine, fleet, memory, liveExchanges, openExchanges, tenants, sha256Hex };
  const console = composeConsole(platform.console, consoleParts, () => settings.config);

  const cacheSettings = (): CacheSettings => cacheSettingsOf(settings.config.cache);
  const service = createService({
    ...engine,
    ...memory,
    clock,
    metrics,
    tenantLabels,
    hitRatio,
    liveExchanges,
    fleet,
    mode: () => settings.config.mode,
    uploadStallMs: () => settings.config.limits.headersTimeoutMs,
    cacheSettings,
    retryBudget,
    maxRetries: () => settings.config.limits.retries,
    random: platform.random,
    hasElsewhere: (request, context, failedAt) => hasElsewhere({ fleet, clock }, request, context, failedAt),
    depthsIn: promptDepths({ clock, ...memory, cacheSettings }),
    relayLimits: () => settings.config.limits,
    stopped: openExchanges.stopped,
    onBreaker: told.onBreaker,
    onInternalError: told.onInternalError,
    onRecord(record) {
      console.record(record);
      told.onRecord(record);
    },
  });
  const app = createApp({
    clock,
    service,
    exchangeOf: platform.exchangeOf,
    identify: (headers) => settings.directory.identify(headers),
    mode: () => settings.config.mode,
    publicUrl: () => settings.config.publicUrl,
    limits: () => settings.config.limits,
    openExchanges,
    metrics,
    tenantLabels,
    metricsToken: { digest: () => settings.metricsTokenDigest, sha256Hex },
    metricsPage: (accept) => metrics.page(accept),
    health: () => engine.health(),
    readRequest: createRequestReader(platform.isUtf8, platform.scanMemory ?? null),
    console: {
      ...platform.console,
      source: console.source,
      token: { digest: () => settings.consoleTokenDigest, sha256Hex },
    },
    onInternalError: told.onInternalError,
  });
  return {
    app,
    engine,
    get openExchanges() {
      return openExchanges.count;
    },
    get liveExchanges() {
      return liveExchanges.count;
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
  const digestOf = (token: string | null): string | null => (token === null ? null : sha256Hex(token));
  return {
    config,
    directory: createTenantDirectory(config, sha256Hex),
    consoleTokenDigest: digestOf(config.console.enabled ? secrets.consoleToken : null),
    metricsTokenDigest: digestOf(secrets.metricsToken),
  };
}

function fleetOf(config: Config, secrets: Secrets, transport: Transport, platform: Platform): FleetEntry[] {
  return config.upstreams.map(({ id, baseUrl, credential, cacheDomain, stripsAttribution }) => {
    const apiKey = secrets.upstreamKeys.get(id) ?? null;
    const upstream = createClaudeUpstream({ id, baseUrl, apiKey, transport, clock: platform.clock });
    const credentialMark = platform.sha256Hex(`${baseUrl}\n${apiKey}`);
    return { routed: { upstream, credential, cacheDomain, stripsAttribution }, credentialMark };
  });
}
