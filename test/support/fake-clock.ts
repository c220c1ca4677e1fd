import type { Clock } from '../../src/core/clock.ts';

/** A clock that moves only when told to. Timers fire in the order of their due time, then of their creation. */
export interface FakeClock extends Clock {
  /** Moves time forward, firing what falls due on the way and letting promises settle after each timer. */
  advance(ms: number): Promise<void>;
  /** Timers that are set and neither fired nor cancelled: 0 when nothing leaked. */
  readonly pending: number;
  /** From now on time moves there as well, and stops for what falls due there. */
  follow(follower: ClockFollower): void;
}

/** The time of another process, which moves with this clock. */
export interface ClockFollower {
  /** As it was lately. */
  readonly pending: number;
  /** By the clock's `nowMs`; null: no timer is set. */
  nextDueMs(): Promise<number | null>;
  moveTo(nowMs: number): Promise<void>;
}

export function createFakeClock(startWallMs = Date.UTC(2026, 10, 22)): FakeClock {
  let now = 0;
  let sequence = 0;
  const timers = new Map<number, { dueMs: number; run: () => void }>();
  let follower: ClockFollower | null = null;
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
        const [next] = [...timers].sort(([a, x], [b, y]) => x.dueMs - y.dueMs || a - b);
        const dueMs = Math.min(next?.[1].dueMs ?? Infinity, (await follower?.nextDueMs()) ?? Infinity);
        if (dueMs > target) break;
        now = Math.max(now, dueMs);
        if (next && next[1].dueMs <= now && timers.delete(next[0])) next[1].run();
        await follower?.moveTo(now);
        await settle();
      }
      now = target;
      await follower?.moveTo(now);
      await settle();
    },
    follow: (other) => void (follower = other),
    get pending() {
      return timers.size + (follower?.pending ?? 0);
    },
  };
}
