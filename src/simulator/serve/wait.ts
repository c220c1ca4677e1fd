import type { Clock } from '../../core/clock.ts';

/** A wait that a caller's going away ends at once, with its timer. Zero and less is no wait at all; infinite sets no timer. */
export function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<'elapsed' | 'aborted'> {
  if (signal.aborted) return Promise.resolve('aborted');
  if (ms <= 0) return Promise.resolve('elapsed');
  return new Promise((resolve) => {
    const aborted = () => end('aborted');
    const cancel = Number.isFinite(ms) ? clock.after(ms, () => end('elapsed')) : () => undefined;
    const end = (how: 'elapsed' | 'aborted') => {
      cancel();
      signal.removeEventListener('abort', aborted);
      resolve(how);
    };
    signal.addEventListener('abort', aborted, { once: true });
  });
}
