import type { Clock } from '../core/clock.ts';

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
