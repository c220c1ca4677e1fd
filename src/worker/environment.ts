import type { Environment } from '../config/config.ts';
import type { ConsoleHub } from './console/console-hub.ts';
import type { RemoteConsoleHub } from './console/console-remote.ts';
import type { FlightsObject } from './objects/flights-object.ts';
import type { MetricsHub } from './metrics/metrics-hub.ts';
import type { RemoteMetricsHub } from './metrics/metrics-remote.ts';
import type { Remotes } from './remote.ts';
import type { TenantObject } from './objects/tenant-object.ts';
import type { UpstreamObject } from './objects/upstream-object.ts';

/** The bindings of wrangler.toml. Secrets are bindings too, under whatever names the settings text refers to. */
export interface WorkerEnvironment {
  /** The settings, as text; left out: pass-through to Claude's API. */
  readonly SLIPSTREAM_CONFIG?: string;
  readonly TENANTS: DurableObjectNamespace<TenantObject>;
  readonly UPSTREAMS: DurableObjectNamespace<UpstreamObject>;
  readonly FLIGHTS: DurableObjectNamespace<FlightsObject>;
  readonly METRICS: DurableObjectNamespace<MetricsHub>;
  readonly CONSOLE: DurableObjectNamespace<ConsoleHub>;
  /** The files of the console's page. */
  readonly ASSETS: Pick<Fetcher, 'fetch'>;
}

/** What `${NAME}` in the settings can stand for: bindings that are text. */
export function textBindings(environment: WorkerEnvironment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => typeof value === 'string'));
}

/**
 * So many objects carry the flights, each the families whose hash leads to it; some 1,000 requests a second are an object's
 * soft limit (docs: Durable Objects, limits). One for each cache domain would be all traffic in one where all tenants share
 * one upstream's key, and where callers bring their own keys and workspaces as many as those think of, each of them cold.
 */
const FLIGHT_OBJECTS = 32;

/** A stub belongs to the request that made it, so that one is made for each call. */
export function remotesOf({ TENANTS, UPSTREAMS, FLIGHTS }: WorkerEnvironment): Remotes {
  return {
    tenant: (id) => TENANTS.getByName(id),
    upstream: (id) => UPSTREAMS.getByName(id),
    flights: (family) => FLIGHTS.getByName(`flights-${family % FLIGHT_OBJECTS}`),
  };
}

/** The same for the metrics hubs, by name. */
export function metricsHubsOf({ METRICS }: WorkerEnvironment): (name: string) => RemoteMetricsHub {
  return (name) => METRICS.getByName(name);
}

/** One for all isolates: an operator wants to see all of them at once. */
export function consoleHubOf({ CONSOLE }: WorkerEnvironment): () => RemoteConsoleHub {
  return () => CONSOLE.getByName('hub');
}
