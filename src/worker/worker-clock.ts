import type { Clock } from '../core/clock.ts';

/**
 * Time on Workers. It stands still while code runs and moves on with each I/O (docs: Workers, performance and timers), so
 * that what is computed in one go seems to take no time at all: waits and durations across I/O are true, the gateway's
 * own CPU time reads as 0. Date.now is used for both kinds, because `performance.now` is the same clock with another zero,
 * and one that is set anew in each isolate.
 */
export const workerClock: Clock = {
  nowMs: () => Date.now(),
  wallMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
