import type { Clock } from '../../../core/clock.ts';
import { createSseReader } from '../../../core/sse.ts';

/**
 * The page's standing connection: opens the event stream, hands on its events, and opens it again, more and more
 * patiently, when it breaks or falls silent. There is one connection or one timer at any time, never both, and after
 * `stop` neither. A refused token is for a person to mend: it is not tried again.
 */
export type FeedState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | {
      /** `sinceMs`: of the last event, or of the first attempt, on the feed's clock. */
      readonly kind: 'lost';
      readonly sinceMs: number;
      readonly because: string;
    }
  | { readonly kind: 'unauthorized' };

export type Opening =
  | { readonly kind: 'open'; readonly chunks: AsyncIterable<Uint8Array> }
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'failed'; readonly because: string };

export interface FeedPorts {
  readonly clock: Clock;
  open(signal: AbortSignal): Promise<Opening>;
  onState(state: FeedState): void;
  onEvent(type: string, data: string): void;
}

export interface LiveFeed {
  /** Somebody looks again: what is lost or silent is tried at once. */
  wake(): void;
  stop(): void;
}

/** A snapshot comes every second or every other. */
export const SILENCE_MS = 10_000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];

export function startLiveFeed({ clock, open, onState, onEvent }: FeedPorts): LiveFeed {
  let heardAtMs = clock.nowMs();
  let failures = 0;
  let isStopped = false;
  let connection: AbortController | null = null;
  let cancelTimer = (): void => {};

  const setTimer = (delayMs: number, run: () => void): void => {
    cancelTimer();
    cancelTimer = clock.after(delayMs, run);
  };

  const lose = (because: string): void => {
    connection?.abort();
    connection = null;
    onState({ kind: 'lost', sinceMs: heardAtMs, because });
    setTimer(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 0, connect);
  };

  const hear = (): void => {
    heardAtMs = clock.nowMs();
    setTimer(SILENCE_MS, () => lose('The gateway has fallen silent.'));
  };

  const read = async (chunks: AsyncIterable<Uint8Array>, isCurrent: () => boolean): Promise<void> => {
    const reader = createSseReader(
      () => true,
      (type, data) => {
        failures = 0;
        onState({ kind: 'live' });
        onEvent(type, data);
      },
    );
    for await (const chunk of chunks) {
      if (!isCurrent()) return;
      hear();
      reader.push(chunk);
    }
    if (isCurrent()) lose('The gateway has ended the connection.');
  };

  const follow = async (own: AbortController): Promise<void> => {
    const isCurrent = (): boolean => connection === own;
    try {
      const opening = await open(own.signal);
      if (!isCurrent()) return;
      if (opening.kind === 'open') await read(opening.chunks, isCurrent);
      else if (opening.kind === 'failed') lose(opening.because);
      else {
        stop();
        onState({ kind: 'unauthorized' });
      }
    } catch {
      if (isCurrent()) lose('The gateway cannot be reached.');
    }
  };

  function connect(): void {
    connection?.abort();
    connection = new AbortController();
    setTimer(SILENCE_MS, () => lose('The gateway does not answer.'));
    void follow(connection);
  }

  function stop(): void {
    isStopped = true;
    connection?.abort();
    connection = null;
    cancelTimer();
  }

  onState({ kind: 'connecting' });
  connect();
  return {
    wake() {
      const isSilent = clock.nowMs() - heardAtMs > SILENCE_MS / 2;
      if (!isStopped && (connection === null || isSilent)) connect();
    },
    stop,
  };
}
