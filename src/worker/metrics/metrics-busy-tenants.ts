import type { Clock } from '../../core/clock.ts';
import { dropOldest } from '../../core/newest.ts';

/**
 * Tenants whose objects are worth asking what runs and waits there. Isolates name a tenant when it asks for a slot, but not
 * again within SEEN_EVERY_MS; so one is forgotten only when its object has said that it is idle and nobody has named it for
 * longer than that: whoever asks for a slot later will name it.
 */
export interface BusyTenants {
  seen(tenant: string): void;
  /** What their objects say. */
  idle(tenants: readonly string[]): void;
  list(): readonly string[];
}

export const SEEN_EVERY_MS = 10_000;
const FORGOTTEN_AFTER_MS = 2 * SEEN_EVERY_MS;
/** Each costs a call per scrape; beyond this the ones that have not been named for longest are not shown. */
const MAX_TENANTS = 1_000;

export function createBusyTenants(clock: Clock): BusyTenants {
  const seenAtMs = new Map<string, number>();
  return {
    seen(tenant) {
      seenAtMs.delete(tenant);
      seenAtMs.set(tenant, clock.nowMs());
      dropOldest(seenAtMs, MAX_TENANTS);
    },
    idle(tenants) {
      for (const tenant of tenants) {
        if (clock.nowMs() - (seenAtMs.get(tenant) ?? 0) > FORGOTTEN_AFTER_MS) seenAtMs.delete(tenant);
      }
    },
    list: () => [...seenAtMs.keys()],
  };
}
