import type { Clock } from '../core/clock.ts';
import type { WaitKind, WaitNote } from '../core/exchange.ts';
import type { Context } from './service.ts';

/** Waits on the clock; false at once when the signal aborts. */
export function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (isOver: boolean): void => {
      stopTimer();
      signal.removeEventListener('abort', onAbort);
      resolve(isOver);
    };
    const onAbort = (): void => settle(false);
    const stopTimer = clock.after(delayMs, () => settle(true));
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** @param stallMs how long the next piece may take. */
export async function withinStall<T>(step: Promise<T>, stallMs: number, clock: Clock): Promise<T | 'stalled'> {
  const stalled = Promise.withResolvers<'stalled'>();
  const cancel = clock.after(stallMs, () => stalled.resolve('stalled'));
  try {
    return await Promise.race([step, stalled.promise]);
  } finally {
    cancel();
  }
}

/** Leaves on the exchange what it waits for, while it does and afterwards. */
export async function noteWait<T>(kind: WaitKind, { clock, notes }: Context, waited: Promise<T>): Promise<T> {
  const note: WaitNote = { kind, fromMs: clock.nowMs(), untilMs: null };
  notes.waits.push(note);
  try {
    return await waited;
  } finally {
    note.untilMs = clock.nowMs();
  }
}
