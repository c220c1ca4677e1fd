import type { AdaptiveLimit } from '../../core/limits/adaptive-limit.ts';

/**
 * An adaptive limit under a share that may be nothing for a moment: while others have the whole ceiling on record. What it
 * has learned outlives that; nothing is on its way meanwhile that it could learn from.
 */
export function createShuttableLimit(createLimit: (ceiling: number) => AdaptiveLimit, ceiling: number): AdaptiveLimit {
  const limit = createLimit(Math.max(1, ceiling));
  let isShut = ceiling < 1;
  return {
    get current() {
      return isShut ? 0 : limit.current;
    },
    setCeiling(next) {
      isShut = next < 1;
      if (!isShut) limit.setCeiling(next);
    },
    report: (result, inUse, nowMs) => limit.report(result, inUse, nowMs),
  };
}
