import type { Lease } from '../../state/slots.ts';

/**
 * What an isolate may have running on its own when the object that counts for all cannot be reached: a share of the limit,
 * since other isolates go on as well, and without waiting, because nobody can wait for another request here.
 */
export interface LocalShare {
  /** null: the share is used up. */
  take(name: string, limit: number): Lease | null;
}

/** How many isolates carry a tenant's or an upstream's traffic is not known anywhere; in one place they are few. */
const ASSUMED_ISOLATES = 4;

export function createLocalShare(): LocalShare {
  const inUse = new Map<string, number>();
  return {
    take(name, limit) {
      const used = inUse.get(name) ?? 0;
      if (used >= Math.max(1, Math.floor(limit / ASSUMED_ISOLATES))) return null;
      inUse.set(name, used + 1);
      let isHeld = true;
      return {
        release() {
          if (!isHeld) return;
          isHeld = false;
          const left = (inUse.get(name) ?? 1) - 1;
          if (left === 0) inUse.delete(name);
          else inUse.set(name, left);
        },
      };
    },
  };
}

/** Retried against its object, which may be back by then. */
export const SHARE_RETRY_MS = 1_000;
