import type { Clock } from '../core/clock.ts';

/**
 * Something to be done a moment later, once for all requests that want it: by the one that wants it first, whose context
 * is kept alive for it. That one may be ended before; whoever wants it next then takes it over.
 */
export interface Errand {
  want(): void;
  /** Does it now, for all who want it. */
  run(): Promise<void>;
}

export interface ErrandOptions {
  readonly clock: Clock;
  /** Keeps the request's context alive for a promise. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly afterMs: number;
  readonly run: () => Promise<void>;
}

const OVERDUE_MS = 1_000;

export function createErrand({ clock, waitUntil, afterMs, run }: ErrandOptions): Errand {
  let dueAtMs = -Infinity;
  const errand: Errand = {
    want() {
      if (clock.nowMs() < dueAtMs + OVERDUE_MS) return;
      dueAtMs = clock.nowMs() + afterMs;
      const due = Promise.withResolvers<void>();
      clock.after(afterMs, due.resolve);
      waitUntil(due.promise.then(errand.run));
    },
    run() {
      dueAtMs = -Infinity;
      return run();
    },
  };
  return errand;
}
