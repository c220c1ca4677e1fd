import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import type { Hono } from 'hono';
import type { Config, Secrets } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { createApp } from '../http/app.ts';
import { createTenantDirectory, type TenantDirectory } from '../http/tenants.ts';
import { createHitRatio } from '../metrics/hit-ratio.ts';
import { createTenantLabels } from '../metrics/labels.ts';
import type { CacheSettings } from '../pipeline/cache-target.ts';
import type { RoutedUpstream } from '../pipeline/upstream.ts';
import type { Route } from '../pipeline/with-routing.ts';
import { createService } from '../pipeline/create-service.ts';
import { createPromptMemory } from '../prompt/prompt-memory.ts';
import { createMemoryFlights } from '../state/memory-flights.ts';
import type { ExchangeRecord } from '../pipeline/with-metering.ts';
import { createMemoryLedger } from '../state/ledger.ts';
import { createMemorySlots } from '../state/memory-slots.ts';
import { createRecent } from '../state/recent.ts';
import type { Slots } from '../state/slots.ts';
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
  /** From the next request on; what runs keeps what it started with. */
  reload(config: Config, secrets: Secrets): void;
  startDraining(): void;
  close(): Promise<void>;
}

export interface GatewayOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly onRecord: (record: ExchangeRecord) => void;
  readonly onInternalError: (error: unknown, requestId: string) => void;
}

interface Settings {
  readonly config: Config;
  readonly directory: TenantDirectory;
  readonly route: Route;
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
  let settings: Settings = settingsOf(options.config, options.secrets, transport, clock);
  let isDraining = false;

  metrics.onScrape(() => {
    publishSlots(metrics, slots, settings.directory, tenantLabels.of);
    metrics.clear('slipstream_cache_hit_ratio');
    for (const [model, ratio] of hitRatio.ratios()) metrics.set('slipstream_cache_hit_ratio', { model }, ratio);
  });

  const service = createService({
    clock,
    metrics,
    tenantLabels,
    hitRatio,
    slots,
    ledger: createMemoryLedger(),
    ...memory,
    flights: createMemoryFlights(clock),
    cacheSettings: () => cacheSettingsOf(settings.config.cache),
    route: (upstreamIds) => settings.route(upstreamIds),
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
    isDraining: () => isDraining,
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
    reload(config, secrets) {
      settings = settingsOf(config, secrets, transport, clock);
    },
    startDraining() {
      isDraining = true;
    },
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

function settingsOf(config: Config, secrets: Secrets, transport: Transport, clock: Clock): Settings {
  const upstreams = new Map<string, RoutedUpstream>();
  for (const { id, baseUrl, credential, cacheDomain, stripsAttribution } of config.upstreams) {
    const apiKey = secrets.upstreamKeys.get(id) ?? null;
    upstreams.set(id, {
      upstream: createClaudeUpstream({ id, baseUrl, apiKey, transport, clock }),
      credential,
      cacheDomain,
      stripsAttribution,
    });
  }
  const route: Route = (upstreamIds) => {
    const routed = upstreams.get(upstreamIds[0] ?? '');
    if (!routed) throw new Error('a tenant without an upstream'); // the settings parser lets none through
    return routed;
  };
  const token = config.console.enabled ? secrets.consoleToken : null;
  const consoleTokenDigest = token === null ? null : sha256Hex(token);
  return { config, directory: createTenantDirectory(config, sha256Hex), route, consoleTokenDigest };
}

function publishSlots(
  metrics: PrometheusMetrics,
  slots: Slots,
  directory: TenantDirectory,
  labelOf: (tenantId: string) => string,
): void {
  for (const name of SLOT_GAUGES) metrics.clear(name);
  const counts = slots.counts();
  for (const { id, slots: rules } of directory.tenants) {
    if (!counts.has(id)) publish(id, { inUse: 0, waiting: 0, limit: rules.limit.current });
  }
  for (const [id, count] of counts) publish(id, count);

  function publish(id: string, count: { inUse: number; waiting: number; limit: number }): void {
    const labels = { scope: 'tenant', name: labelOf(id) };
    metrics.add('slipstream_slots_in_use', labels, count.inUse);
    metrics.add('slipstream_slots_limit', labels, count.limit);
    metrics.add('slipstream_queue_depth', labels, count.waiting);
  }
}

const SLOT_GAUGES = ['slipstream_slots_in_use', 'slipstream_slots_limit', 'slipstream_queue_depth'] as const;
