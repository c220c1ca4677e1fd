import type { Clock } from '../core/clock.ts';
import type { Gateway } from './gateway.ts';
import type { HttpServer } from './serve.ts';

/**
 * Going away without breaking anything off. Not ready at once, so that balancers go elsewhere; while the notice lasts,
 * everything is still served; then the port closes, and who is connected already is served to the end. At the deadline,
 * or when told to end now, what is open gets its `error` event, and a short while for these last bytes to leave.
 * Nothing is refused before that: a request that reaches a draining gateway is answered, not lost.
 */
export interface DrainOptions {
  readonly gateway: Pick<Gateway, 'startDraining' | 'stopExchanges' | 'openExchanges'>;
  readonly server: Pick<HttpServer, 'makeAnswersLast' | 'finish' | 'cut'>;
  readonly clock: Clock;
  /** From the start to the deadline. */
  readonly drainMs: number;
  /** How long the port stays open, at most until the deadline. */
  readonly noticeMs: number;
  /** Aborted: end now. */
  readonly hurry: AbortSignal;
  readonly report: (progress: DrainProgress) => void;
}

export type DrainProgress =
  | { readonly kind: 'started'; readonly openExchanges: number; readonly noticeMs: number; readonly drainMs: number }
  | { readonly kind: 'waiting'; readonly openExchanges: number; readonly leftMs: number }
  | { readonly kind: 'stopping'; readonly because: 'deadline' | 'hurry'; readonly stoppedExchanges: number }
  | {
      readonly kind: 'ended';
      readonly durationMs: number;
      readonly stoppedExchanges: number;
      readonly cutConnections: number;
    };

/** A kept-alive connection that has been quiet for so long is unlikely to bring a request just as it is closed. */
export const QUIET_MS = 1_000;
/** For the last bytes of what is ended at the deadline. */
export const GRACE_MS = 2_000;
/** The same, when it shall end now: what has been written leaves, nobody is waited for. */
export const HURRIED_GRACE_MS = 100;
export const PROGRESS_MS = 5_000;
/** An exchange may outlive its connection: an answer that is read on for its usage, a record that is being written. */
const SETTLE_POLL_MS = 20;

export async function drain(options: DrainOptions): Promise<void> {
  const { gateway, server, clock, drainMs, report } = options;
  const startedAtMs = clock.nowMs();
  const noticeMs = Math.min(options.noticeMs, drainMs);
  gateway.startDraining();
  server.makeAnswersLast();
  report({ kind: 'started', openExchanges: gateway.openExchanges, noticeMs, drainMs });
  const stopProgress = reportProgress(options, startedAtMs);
  const ending = endAtDeadline(options);
  await pause(clock, noticeMs, ending.begun);
  await server.finish(Math.min(QUIET_MS, drainMs));
  while (gateway.openExchanges > 0 && !ending.isOver) await pause(clock, SETTLE_POLL_MS, ending.over);
  stopProgress();
  const end = ending.cancel();
  report({ kind: 'ended', durationMs: Math.round(clock.nowMs() - startedAtMs), ...end });
}

interface Ending {
  /** The exchanges have been told to end. */
  readonly begun: Promise<void>;
  /** The grace is over and connections have been cut. */
  readonly over: Promise<void>;
  readonly isOver: boolean;
  cancel(): { readonly stoppedExchanges: number; readonly cutConnections: number };
}

function endAtDeadline({ gateway, server, clock, drainMs, hurry, report }: DrainOptions): Ending {
  const begun = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  let stoppedExchanges = 0;
  let cutConnections = 0;
  let isOver = false;
  let cancelTimer = (): void => {};
  const cut = (): void => {
    isOver = true;
    cutConnections = server.cut();
    over.resolve();
  };
  const stop = (because: 'deadline' | 'hurry'): void => {
    cancelTimer();
    const stopped = gateway.stopExchanges();
    stoppedExchanges += stopped;
    report({ kind: 'stopping', because, stoppedExchanges: stopped });
    begun.resolve();
    cancelTimer = clock.after(because === 'hurry' ? HURRIED_GRACE_MS : GRACE_MS, cut);
  };
  const onHurry = (): void => stop('hurry');
  cancelTimer = clock.after(drainMs, () => stop('deadline'));
  hurry.addEventListener('abort', onHurry);
  if (hurry.aborted) onHurry();
  return {
    begun: begun.promise,
    over: over.promise,
    get isOver() {
      return isOver;
    },
    cancel() {
      cancelTimer();
      hurry.removeEventListener('abort', onHurry);
      return { stoppedExchanges, cutConnections };
    },
  };
}

function reportProgress({ gateway, clock, drainMs, report }: DrainOptions, startedAtMs: number): () => void {
  let cancel = clock.after(PROGRESS_MS, tell);
  return () => cancel();

  function tell(): void {
    const leftMs = Math.max(0, Math.round(startedAtMs + drainMs - clock.nowMs()));
    report({ kind: 'waiting', openExchanges: gateway.openExchanges, leftMs });
    cancel = clock.after(PROGRESS_MS, tell);
  }
}

/** Ends after `ms` or with `or`, and leaves no timer behind. */
async function pause(clock: Clock, ms: number, or: Promise<void>): Promise<void> {
  const { promise: elapsed, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  await Promise.race([elapsed, or]);
  cancel();
}
