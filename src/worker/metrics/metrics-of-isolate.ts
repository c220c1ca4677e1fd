import type { Clock } from '../../core/clock.ts';
import type { Platform } from '../../gateway/compose-gateway.ts';
import type { StateEngine } from '../../state/engine.ts';
import type { RemoteMetricsHub } from './metrics-remote.ts';
import { hubNames } from './metrics-shards.ts';
import { createMetricsSink } from './metrics-sink.ts';
import { createStandings } from './metrics-standings.ts';
import type { Remotes } from '../remote.ts';

export interface IsolateMetricsOptions {
  readonly clock: Clock;
  readonly engine: StateEngine;
  readonly remotes: Pick<Remotes, 'tenant' | 'upstream'>;
  /** Makes a stub. */
  readonly hub: (name: string) => RemoteMetricsHub;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly newName: () => string;
  /** In [0, 1): which hub the isolate sends to. */
  readonly random: () => number;
}

/** The platform's metrics, and its engine as they need it: it says who asks for slots, and shows what the objects hold. */
export function createIsolateMetrics(options: IsolateMetricsOptions): Pick<Platform, 'metrics' | 'engine'> {
  const { engine, remotes, hub } = options;
  let ownHub: string | null = null; // a Worker has no random numbers before its first request
  const standings = createStandings({ engine, remotes, onAsk: (tenant) => sink.seen(tenant) });
  const sink = createMetricsSink({
    ...options,
    hub: () => hub((ownHub ??= hubNames[Math.floor(options.random() * hubNames.length)] as string)),
    allHubs: () => hubNames.map(hub),
    readOff: (busyTenants, run) => standings.during(busyTenants, run),
  });
  return { metrics: sink.metrics, engine: standings.engine };
}
