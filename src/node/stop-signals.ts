import type { Clock } from '../core/clock.ts';

/**
 * SIGTERM and SIGINT: the first asks for an orderly end, the second for one now. Ctrl-C under `npm start` reaches this
 * process twice, from the terminal and from npm, which passes it on: a SIGINT right behind another is the same one.
 */
export type StopSignal = 'SIGTERM' | 'SIGINT';

export interface StopSignals {
  readonly first: Promise<StopSignal>;
  /** Aborted by the second. */
  readonly second: AbortSignal;
}

const SIGNALS: readonly StopSignal[] = ['SIGTERM', 'SIGINT'];
const SAME_CTRL_C_MS = 200;

export interface SignalSource {
  on(signal: StopSignal, run: () => void): unknown;
}

/** Listens for good: a listener that is removed would leave the process to the signal's default. */
export function stopSignals(source: SignalSource, { nowMs }: Pick<Clock, 'nowMs'>): StopSignals {
  const { promise: first, resolve } = Promise.withResolvers<StopSignal>();
  const second = new AbortController();
  let last: { readonly signal: StopSignal; readonly atMs: number } | null = null;
  for (const signal of SIGNALS) {
    source.on(signal, () => {
      const atMs = nowMs();
      const isSame = signal === 'SIGINT' && last?.signal === 'SIGINT' && atMs - last.atMs < SAME_CTRL_C_MS;
      if (last && !isSame) second.abort();
      last = { signal, atMs };
      resolve(signal);
    });
  }
  return { first, second: second.signal };
}
