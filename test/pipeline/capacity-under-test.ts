import type { AttemptResult } from '../../src/core/attempt.ts';
import type { HeaderMap } from '../../src/core/headers.ts';
import type { CapacityAsk, CapacityGrant, UpstreamCapacity } from '../../src/state/upstream-capacity.ts';

/** An upstream's capacity that grants at once, or whatever the test says, and remembers what it was asked and told. */
export interface ScriptedCapacity extends UpstreamCapacity {
  readonly asked: readonly ({ readonly upstream: string; readonly signal: AbortSignal } & CapacityAsk)[];
  readonly heads: readonly HeaderMap[];
  /** What each lease was given back with. */
  readonly released: readonly AttemptResult[];
  /** Decides about the next ask. */
  decide: () => Promise<Exclude<CapacityGrant, { kind: 'granted' }> | 'grant'>;
}

export function createScriptedCapacity(): ScriptedCapacity {
  const asked: ScriptedCapacity['asked'][number][] = [];
  const heads: HeaderMap[] = [];
  const released: AttemptResult[] = [];
  const lease = { head: (headers: HeaderMap) => heads.push(headers), release: (result: AttemptResult) => released.push(result) }; // prettier-ignore
  return {
    asked,
    heads,
    released,
    decide: async () => 'grant',
    async acquire(upstream, ask, signal) {
      asked.push({ upstream, signal, ...ask });
      const decision = await this.decide();
      return decision === 'grant' ? { kind: 'granted', lease, waitedMs: 0 } : decision;
    },
    setCeiling: () => {},
    counts: () => new Map(),
    quotas: () => [],
    load: () => ({ inUse: 0, waiting: 0, limit: 256 }),
  };
}
