import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import type { Hono } from 'hono';
import type { Config, Secrets } from '../config/config.ts';
import { createAdaptiveLimit } from '../core/adaptive-limit.ts';
import type { BreakerState } from '../core/circuit-breaker.ts';
import type { Clock } from '../core/clock.ts';
import { createRetryBudget } from '../core/retry-budget.ts';
import { createApp } from '../http/app.ts';
import { createOpenExchanges } from '../http/open-exchanges.ts';
import { createTenantDirectory, type TenantDirectory } from '../http/tenants.ts';
import { createHitRatio } from '../metrics/hit-ratio.ts';
import { createTenantLabels } from '../metrics/labels.ts';
import type { CacheSettings } from '../pipeline/cache-target.ts';
import { createService } from '../pipeline/create-service.ts';
import { createFleet, type FleetEntry } from '../pipeline/fleet.ts';
import { publishGauges } from '../pipeline/gauges.ts';
import { promptDepths } from '../pipeline/prompt-depths.ts';
import { hasElsewhere } from '../pipeline/with-routing.ts';
import { createPromptMemory } from '../prompt/prompt-memory.ts';
import { createMemoryFlights } from '../state/memory-flights.ts';
import type { ExchangeRecord } from '../pipeline/with-metering.ts';
import { createMemoryLedger } from '../state/ledger.ts';
import { createMemorySessionPlaces } from '../state/memory-session-places.ts';
import { createMemorySlots } from '../state/memory-slots.ts';
import { createMemoryUpstreamCapacity } from '../state/memory-upstream-capacity.ts';
import { createRecent } from '../state/recent.ts';
import type { Slots } from '../state/slots.ts';
import type { UpstreamCapacity } from '../state/upstream-capacity.ts';
import { createClaudeUpstream } from '../upstream/claude-upstream.ts';
import type { Transport } from '../upstream/transport.ts';
import { createNodeExchange } from './node-exchange.ts';
import { createPrometheusMetrics, type PrometheusMetrics } from './prometheus.ts';
import { createUndiciTransport } from './undici-transport.ts';

/** The gateway of one Node process: the ports' Node engines put together. Settings are replaced whole on a reload. */
export interface Gateway {
  readonly app: Hono;
  readonly metrics: PrometheusMetrics;
  readonly slots: Slots;
  readonly capacity: UpstreamCapacity;
  readonly openExchanges: number;
  /** From the next request on; what runs keeps what it started with, what waits is served by the new limits. */
  reload(config: Config, secrets: Secrets): void;
  /** Not ready any more; what arrives is served all the same. */
  startDraining(): void;
  /** Ends every exchange now: streams by an `error` event, what waits by a refusal. Returns how many there were. */
  stopExchanges(): number;
  close(): Promise<void>;
}

export interface GatewayOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly onRecord: (record: ExchangeRecord) => void;
  readonly onInternalError: (error: unknown, requestId: string) => void;
  /** An upstream is taken out of service, tried again, or back. */
  readonly onBreaker?: (upstreamId: string, from: BreakerState, to: BreakerState) => void;
  /** In [0, 1); Math.random where it is left out. */
  readonly random?: () => number;
}

interface Settings {
  readonly config: Config;
  readonly directory: TenantDirectory;
  /** null: the console is off. */
  readonly consoleTokenDigest: string | null;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { clock } = options;
  const metrics = createPrometheusMetrics();
  const tenantLabels = createTenantLabels();
  const hitRatio = createHitRatio(clock);
  const slots = createMemorySlots(clock);
  const memory = createPromptMemory();
  const recent = createRecent<ExchangeRecord>(RECENT_REQUESTS);
  const transport = createUndiciTransport({ bodyIdleMs: () => settings.config.limits.streamIdleMs });
  const fleet = createFleet();
  const capacity = createMemoryUpstreamCapacity({ clock, createLimit: createAdaptiveLimit });
  const openExchanges = createOpenExchanges();
  const apply = (config: Config, secrets: Secrets): Settings => {
    fleet.replace(fleetOf(config, secrets, transport, clock));
    for (const { id, maxConcurrency } of config.upstreams) capacity.setCeiling(id, maxConcurrency);
    const next = settingsOf(config, secrets);
    for (const tenant of next.directory.tenants) slots.setLimit(tenant.id, tenant.slots.limit);
    return next;
  };
  let settings: Settings = apply(options.config, options.secrets);

  const tenants = () => settings.directory.tenants;
  metrics.onScrape(() => publishGauges(metrics, { clock, slots, capacity, fleet, hitRatio, tenantLabels, tenants }));

  const cacheSettings = (): CacheSettings => cacheSettingsOf(settings.config.cache);
  const service = createService({
    clock,
    metrics,
    tenantLabels,
    hitRatio,
    slots,
    ledger: createMemoryLedger(),
    ...memory,
    flights: createMemoryFlights(clock),
    cacheSettings,
    retryBudget: createRetryBudget(),
    maxRetries: () => settings.config.limits.retries,
    random: options.random ?? Math.random,
    fleet,
    capacity,
    places: createMemorySessionPlaces(clock),
    hasElsewhere: (request, context, failedAt) => hasElsewhere({ fleet, clock }, request, context, failedAt),
    depthsIn: promptDepths({ clock, ...memory, cacheSettings }),
    onBreaker: options.onBreaker ?? (() => {}),
    relayLimits: () => settings.config.limits,
    stopped: openExchanges.stopped,
    onInternalError: options.onInternalError,
    onRecord(record) {
      recent.add(record.id, record);
      options.onRecord(record);
    },
  });
  const app = createApp({
    clock,
    service,
    exchangeOf: createNodeExchange(clock),
    identify: (headers) => settings.directory.identify(headers),
    mode: () => settings.config.mode,
    limits: () => settings.config.limits,
    openExchanges,
    metrics,
    tenantLabels,
    metricsPage: (accept) => metrics.page(accept),
    isUtf8,
    console: {
      tokenDigest: () => settings.consoleTokenDigest,
      sha256Hex,
      request: recent.get,
      requests: recent.list,
      volatilePrefixes: () => memory.volatile.found(clock.nowMs()),
    },
    onInternalError: options.onInternalError,
  });
  return {
    app,
    metrics,
    slots,
    capacity,
    get openExchanges() {
      return openExchanges.count;
    },
    reload(config, secrets) {
      settings = apply(config, secrets);
    },
    startDraining: () => openExchanges.startDraining(),
    stopExchanges: () => openExchanges.stopAll(),
    close: () => transport.close(),
  };
}

/** Requests whose story an operator can still ask for. */
const RECENT_REQUESTS = 1_000;

function cacheSettingsOf({ singleFlight, maxHoldMs, ttl, prolong }: Config['cache']): CacheSettings {
  return { singleFlight, maxHoldMs, ttl, prolong: prolong === 'learn' ? prolong : prolong === 'yes' };
}

export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

function settingsOf(config: Config, secrets: Secrets): Settings {
  const token = config.console.enabled ? secrets.consoleToken : null;
  const consoleTokenDigest = token === null ? null : sha256Hex(token);
  return { config, directory: createTenantDirectory(config, sha256Hex), consoleTokenDigest };
}

function fleetOf(config: Config, secrets: Secrets, transport: Transport, clock: Clock): FleetEntry[] {
  return config.upstreams.map(({ id, baseUrl, credential, cacheDomain, stripsAttribution }) => {
    const apiKey = secrets.upstreamKeys.get(id) ?? null;
    const upstream = createClaudeUpstream({ id, baseUrl, apiKey, transport, clock });
    const credentialMark = sha256Hex(`${baseUrl}\n${apiKey}`);
    return { routed: { upstream, credential, cacheDomain, stripsAttribution }, credentialMark };
  });
}
