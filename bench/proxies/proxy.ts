// What the bench needs of a proxy: whether it is there, how to start it in front of the mock, and which headers a call has
// to carry so that it lets the call through. Everything else is the proxy's own business.

import type { Child } from '../child.ts';

export interface Place {
  readonly upstreamPort: number;
  readonly core: string | undefined;
}

export interface RunningProxy {
  readonly name: string;
  readonly port: number;
  /** The first process; its children are counted with it. */
  readonly pid: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly child: Child;
}

type Presence = { kind: 'present' } | { kind: 'missing'; howToInstall: string };

export interface Proxy {
  readonly name: string;
  readonly title: string;
  presence(): Presence;
  start(place: Place): Promise<RunningProxy>;
}

/** The key every call carries; only Slipstream looks at it. */
export const BENCH_KEY = 'slipstream-bench-key-0123456789';
export const CALLER_HEADERS = { 'x-api-key': BENCH_KEY } as const;
