import type { Clock } from '../../src/core/clock.ts';

/**
 * The real clock, which can be set: its wall time as by an operator or NTP, its monotonic time as by a machine that was
 * suspended. What has fallen due by a jump fires at once, in the order in which it was due. It knows how many timers are
 * set, so that one left behind is seen.
 */
export interface ShiftingClock extends Clock {
  shiftWall(byMs: number): void;
  jump(byMs: number): void;
  /** From now on waits of up to this long are skipped. */
  skipUpTo(ms: number): void;
  /** Timers that are set and have neither fired nor been cancelled. */
  readonly pending: number;
}

export interface ShiftingClockOptions {
  /** Waits of up to this long are skipped: time jumps to their end as soon as they have begun. */
  readonly skipUpToMs?: number;
}

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
  handle: NodeJS.Timeout;
}

export function createShiftingClock({ skipUpToMs: skippedMs = 0 }: ShiftingClockOptions = {}): ShiftingClock {
  let skipUpToMs = skippedMs;
  const timers = new Set<Timer>();
  let jumpedMs = 0;
  let shiftedMs = 0;
  const nowMs = (): number => performance.now() + jumpedMs;
  const fire = (timer: Timer): void => {
    clearTimeout(timer.handle);
    if (timers.delete(timer)) timer.run();
  };
  const arm = (timer: Omit<Timer, 'handle'>, fired: () => Timer): NodeJS.Timeout => {
    const leftMs = timer.dueMs - nowMs();
    if (leftMs > skipUpToMs) return setTimeout(() => fire(fired()), leftMs);
    return setTimeout(() => clock.jump(Math.max(0, timer.dueMs - nowMs())), 0);
  };
  const clock: ShiftingClock = {
    nowMs,
    wallMs: () => Date.now() + jumpedMs + shiftedMs,
    after(delayMs, run) {
      const due = { dueMs: nowMs() + delayMs, run };
      const timer: Timer = { ...due, handle: arm(due, () => timer) };
      timers.add(timer);
      return () => {
        clearTimeout(timer.handle);
        timers.delete(timer);
      };
    },
    skipUpTo(ms) {
      skipUpToMs = ms;
    },
    shiftWall(byMs) {
      shiftedMs += byMs;
    },
    jump(byMs) {
      jumpedMs += byMs;
      const inOrder = [...timers].sort((a, b) => a.dueMs - b.dueMs);
      for (const timer of inOrder) {
        if (timer.dueMs <= nowMs()) fire(timer);
        else if (timers.has(timer)) rearm(timer);
      }
    },
    get pending() {
      return timers.size;
    },
  };
  return clock;

  function rearm(timer: Timer): void {
    clearTimeout(timer.handle);
    timer.handle = arm(timer, () => timer);
  }
}
