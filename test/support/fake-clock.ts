import type { Clock } from '../../src/core/clock.ts';

/** A clock that moves only when told to. Timers fire in the order of their due time, then of their creation. */
export interface FakeClock extends Clock {
  /** Moves time forward, firing what falls due on the way and letting promises settle after each timer. */
  advance(ms: number): Promise<void>;
  /** Timers that are set and neither fired nor cancelled: 0 when nothing leaked. */
  readonly pending: number;
}

export function createFakeClock(startWallMs = Date.UTC(2026, 10, 22)): FakeClock {
  let now = 0;
  let sequence = 0;
  const timers = new Map<number, { dueMs: number; run: () => void }>();
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  return {
    nowMs: () => now,
    wallMs: () => startWallMs + now,
    after(delayMs, run) {
      const id = ++sequence;
      timers.set(id, { dueMs: now + Math.max(0, delayMs), run });
      return () => timers.delete(id);
    },
    async advance(ms) {
      const target = now + ms;
      await settle();
      for (;;) {
        const next = [...timers]
          .filter(([, t]) => t.dueMs <= target)
          .sort(([a, x], [b, y]) => x.dueMs - y.dueMs || a - b)[0];
        if (!next) break;
        timers.delete(next[0]);
        now = Math.max(now, next[1].dueMs);
        next[1].run();
        await settle();
      }
      now = target;
      await settle();
    },
    get pending() {
      return timers.size;
    },
  };
}
