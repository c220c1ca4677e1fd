import type { Environment } from '../config/config.ts';
import type { FlightsObject } from './flights-object.ts';
import type { MetricsHub } from './metrics-hub.ts';
import type { RemoteMetricsHub } from './metrics-remote.ts';
import type { Remotes } from './remote.ts';
import type { TenantObject } from './tenant-object.ts';
import type { UpstreamObject } from './upstream-object.ts';

/** The bindings of wrangler.toml. Secrets are bindings too, under whatever names the settings text refers to. */
export interface WorkerEnvironment {
  /** The settings, as text; left out: pass-through to Claude's API. */
  readonly SLIPSTREAM_CONFIG?: string;
  readonly TENANTS: DurableObjectNamespace<TenantObject>;
  readonly UPSTREAMS: DurableObjectNamespace<UpstreamObject>;
  readonly FLIGHTS: DurableObjectNamespace<FlightsObject>;
  readonly METRICS: DurableObjectNamespace<MetricsHub>;
}

/** What `${NAME}` in the settings can stand for: bindings that are text. */
export function textBindings(environment: WorkerEnvironment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => typeof value === 'string'));
}

/**
 * One object for all flights: what a request asks for does not say which cache domain it is of. Some 1,000 requests a
 * second are an object's soft limit (docs: Durable Objects, limits).
 */
const ALL_FLIGHTS = 'all';

/** A stub belongs to the request that made it, so that one is made for each call. */
export function remotesOf({ TENANTS, UPSTREAMS, FLIGHTS }: WorkerEnvironment): Remotes {
  return {
    tenant: (id) => TENANTS.getByName(id),
    upstream: (id) => UPSTREAMS.getByName(id),
    flights: () => FLIGHTS.getByName(ALL_FLIGHTS),
  };
}

/** The same for the metrics hubs, by name. */
export function metricsHubsOf({ METRICS }: WorkerEnvironment): (name: string) => RemoteMetricsHub {
  return (name) => METRICS.getByName(name);
}
