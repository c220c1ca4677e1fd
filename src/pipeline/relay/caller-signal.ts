import type { Clock } from '../../core/clock.ts';
import type { StopReason } from '../../core/exchange.ts';
import type { Context } from '../service.ts';

/**
 * When an upstream call ends because its exchange does. With `cancel` at once; with `drain` an answer whose caller has left
 * is read on, up to a bound, so that its usage is known exactly and what it writes to the cache is written.
 */
export interface CallerSignal {
  readonly signal: AbortSignal;
  /** Call once when the upstream call is over. */
  dispose(): void;
}

/** @param stopped aborted when the process can wait no longer, for answers that nobody waits for either. */
export function callerSignal(
  { signal, tenant }: Context,
  clock: Clock,
  hangUpDrainMs: number,
  stopped: AbortSignal,
): CallerSignal {
  if (tenant.hangUp === 'cancel') return { signal, dispose: () => {} };
  const call = new AbortController();
  let stopTimer = (): void => {};
  const end = (): void => call.abort(signal.reason);
  const onStop = (): void => {
    const isGone = (signal.reason as StopReason) === 'caller_gone';
    if (!isGone || stopped.aborted) return end();
    stopTimer = clock.after(hangUpDrainMs, end);
    stopped.addEventListener('abort', end);
  };
  if (signal.aborted) call.abort(signal.reason);
  else signal.addEventListener('abort', onStop, { once: true });
  return {
    signal: call.signal,
    dispose() {
      signal.removeEventListener('abort', onStop);
      stopped.removeEventListener('abort', end);
      stopTimer();
    },
  };
}
