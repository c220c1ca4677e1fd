// Queues to compare with: first come, first served, and one that knows who is greedy and always serves it last, the others
// as they come. The second is about the best the modest can get while every slot is kept busy.

import type { Clock } from '../../src/core/clock.ts';
import type { CapacityAsk, CapacityGrant, UpstreamCapacity } from '../../src/state/upstream-capacity.ts';

interface Waiter {
  readonly rank: number;
  grant(): void;
}

/** @param rankOf smaller goes first; equals in the order of their coming. */
export function createRankedCapacity(
  clock: Clock,
  slots: number,
  rankOf: (ask: CapacityAsk) => number,
): Pick<UpstreamCapacity, 'acquire'> {
  const waiters = new Set<Waiter>();
  let inUse = 0;
  const lease = () => {
    inUse++;
    return {
      head: () => {},
      release() {
        inUse--;
        serve();
      },
    };
  };
  const serve = (): void => {
    let next: Waiter | null = null;
    for (const waiter of waiters) if (next === null || waiter.rank < next.rank) next = waiter;
    next?.grant();
  };
  return {
    acquire(_upstreamId, ask) {
      if (inUse < slots) return Promise.resolve({ kind: 'granted', lease: lease(), waitedMs: 0 });
      const sinceMs = clock.nowMs();
      return new Promise((resolve) => {
        const leave = (grant: CapacityGrant): void => {
          waiters.delete(waiter);
          cancel();
          resolve(grant);
        };
        const grant = () => leave({ kind: 'granted', lease: lease(), waitedMs: clock.nowMs() - sinceMs });
        const waiter: Waiter = { rank: rankOf(ask), grant };
        const cancel = clock.after(ask.maxWaitMs, () => leave({ kind: 'timed_out', retryAfterMs: 0 }));
        waiters.add(waiter);
      });
    },
  };
}
