import { createCircuitBreaker, type CircuitBreaker } from '../core/failures/circuit-breaker.ts';
import type { RoutedUpstream } from './upstream.ts';

/** The upstreams there are, and what has been learned of each. What is learned outlives a reload of the settings. */
export interface Fleet {
  /** Those of these that exist, in this order. */
  members(ids: readonly string[]): readonly FleetMember[];
  readonly all: readonly FleetMember[];
  /** Replaces the whole set; a member whose credential has changed starts with a clean breaker. */
  replace(upstreams: readonly FleetEntry[]): void;
}

export interface FleetMember extends RoutedUpstream {
  readonly breaker: CircuitBreaker;
}

export interface FleetEntry {
  readonly routed: RoutedUpstream;
  /** Tells one credential from another and nothing about it. */
  readonly credentialMark: string;
}

export function createFleet(): Fleet {
  let fleet = new Map<string, { member: FleetMember; credentialMark: string }>();
  return {
    members: (ids) => ids.flatMap((id) => fleet.get(id)?.member ?? []),
    get all() {
      return [...fleet.values()].map(({ member }) => member);
    },
    replace(upstreams) {
      const next: typeof fleet = new Map();
      for (const { routed, credentialMark } of upstreams) {
        const known = fleet.get(routed.upstream.id);
        const breaker = known?.member.breaker ?? createCircuitBreaker();
        if (known && known.credentialMark !== credentialMark) breaker.reset();
        next.set(routed.upstream.id, { member: { ...routed, breaker }, credentialMark });
      }
      fleet = next;
    },
  };
}
