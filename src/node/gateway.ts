import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { createAdaptiveLimit } from '../core/limits/adaptive-limit.ts';
import { createProcessConsole } from '../console/process-console.ts';
import type { Clock } from '../core/clock.ts';
import { composeGateway, type Gateway as ComposedGateway, type GatewayParts } from '../gateway/compose-gateway.ts';
import type { StateEngine } from '../state/engine.ts';
import { createMemoryEngine } from '../state/memory-engine.ts';
import { createScanMemory } from '../prompt/scan/scan-memory.ts';
import { createPrometheusMetrics, type PrometheusMetrics } from '../prometheus/prometheus-metrics.ts';
import { consoleAssets } from './console-assets.ts';
import { createNodeExchange } from './node-exchange.ts';
import { isSame } from './same-bytes.ts';
import { createUndiciTransport } from './undici-transport.ts';

/** The gateway of one Node process. */
export interface Gateway extends ComposedGateway {
  readonly metrics: PrometheusMetrics;
}

export interface GatewayOptions extends Omit<GatewayParts, 'platform' | 'onBreaker'> {
  readonly clock: Clock;
  /** The memory of this process where it is left out. */
  readonly engine?: StateEngine;
  readonly onBreaker?: GatewayParts['onBreaker'];
  /** In [0, 1); Math.random where it is left out. */
  readonly random?: () => number;
}

export function createGateway({ clock, engine, random = Math.random, ...parts }: GatewayOptions): Gateway {
  const metrics = createPrometheusMetrics(turn);
  const gateway = composeGateway({
    onBreaker: () => {},
    ...parts,
    platform: {
      clock,
      metrics,
      engine: engine ?? createMemoryEngine(clock, createAdaptiveLimit),
      createTransport: createUndiciTransport,
      exchangeOf: createNodeExchange(clock),
      isUtf8,
      scanMemory: createScanMemory({ clock, maxBytes: MAX_HELD_BYTES, isSame }),
      sha256Hex,
      random,
      console: { create: createProcessConsole, assets: consoleAssets(), pace: { everyMs: 1_000, snapshots: 'shared' } },
    },
  });
  return Object.defineProperties(gateway as Gateway, { metrics: { value: metrics, enumerable: true } });
}

/** Of the bodies scanned last, for whole conversations of 1 MB to be found again, or some hundreds of 100 KB. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}
