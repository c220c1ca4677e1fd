import type { Clock } from '../../src/core/clock.ts';

/** Timers as a Worker has them: those of a request are gone with it. */
export interface RequestTimers {
  /** The given clock, for what runs in requests. */
  readonly clock: Clock;
  /** Ends the requests that have been going on: what they have promised to do is not done. */
  endRequests(): void;
}

export function createRequestTimers(clock: Clock): RequestTimers {
  let timers: (() => void)[] = [];
  return {
    clock: {
      ...clock,
      after(delayMs, run) {
        const cancel = clock.after(delayMs, run);
        timers.push(cancel);
        return cancel;
      },
    },
    endRequests() {
      for (const cancel of timers) cancel();
      timers = [];
    },
  };
}
