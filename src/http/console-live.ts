import type { Clock } from '../core/clock.ts';
import type { Reply } from '../core/exchange.ts';
import type { ConsoleSource } from '../console/console-source.ts';
import { refused } from './console-answers.ts';
import type { HttpExchange } from './exchange.ts';

/**
 * The console's live figures as server-sent events: the history once, then a snapshot at each beat. A beat is taken when
 * somebody looks and at no other time; who reads slowly misses beats, so that nothing queues up for anybody. A viewer's
 * answer ends when it leaves, when it has not read for a minute, or, with a last snapshot, when the process drains.
 */
export interface LiveFeed {
  /** How many look on. */
  readonly viewers: number;
  show(exchange: HttpExchange): Promise<Response>;
}

export interface LiveFeedOptions {
  readonly clock: Clock;
  readonly source: Pick<ConsoleSource, 'history' | 'snapshot'>;
  readonly pace: LivePace;
  readonly draining: AbortSignal;
  /** A snapshot could not be taken: that beat is left out. */
  readonly onError: (error: unknown) => void;
}

/** `shared`: all viewers see the same snapshots; `each`: where no request may wait for what another one does. */
export interface LivePace {
  readonly everyMs: number;
  readonly snapshots: 'shared' | 'each';
}

const MOST_VIEWERS = 32;
/** For this long a viewer may read nothing; it holds one of the places. */
const PATIENCE_MS = 60_000;
/** For the last bytes of a viewer when the process ends. */
const END_MS = 500;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-accel-buffering': 'no', // nginx would hold events back
};

export function createLiveFeed(options: LiveFeedOptions): LiveFeed {
  const { source, pace, draining } = options;
  const newBeat = () => createBeat(options);
  const shared = newBeat();
  let viewers = 0;
  return {
    get viewers() {
      return viewers;
    },
    async show(exchange) {
      if (draining.aborted) return refused(503, 'This process is shutting down: ask again.', { 'retry-after': '1' });
      if (viewers >= MOST_VIEWERS)
        return refused(429, `${MOST_VIEWERS} viewers look on already: close one of them.`, { 'retry-after': '10' });
      const responded = await exchange.respond(async (reply) => {
        viewers++;
        try {
          const first = [frame('history', await source.history()), frame('snapshot', await source.snapshot())];
          reply.open({ status: 200, headers: HEADERS });
          await showTo(reply, first, pace.snapshots === 'shared' ? shared : newBeat(), exchange.signal, options);
        } catch (error) {
          if (!reply.isOpen) throw error; // it can still be answered
          options.onError(error);
          await reply.drop();
        } finally {
          viewers--;
        }
        return { kind: 'abandoned' };
      });
      return responded.kind === 'sent' ? responded.response : new Response(null); // it left before the first byte
    },
  };
}

/** Resolves when the viewer is gone. */
async function showTo(
  reply: Reply,
  first: readonly Uint8Array[],
  beat: Beat,
  gone: AbortSignal,
  { clock, source, draining, onError }: LiveFeedOptions,
): Promise<void> {
  const over = Promise.withResolvers<void>();
  let isFull = false;
  let cancelPatience = (): void => {};
  const write = (bytes: Uint8Array): void => {
    if (isFull || reply.write(bytes)) return; // full: it misses this one
    isFull = true;
    cancelPatience = clock.after(PATIENCE_MS, () => void reply.drop());
    reply.onDrain(() => {
      isFull = false;
      cancelPatience();
    });
  };
  for (const bytes of first) write(bytes);
  const stopListening = beat.listen(write);
  const onOver = (): void => over.resolve();
  for (const signal of [gone, draining]) signal.addEventListener('abort', onOver, { once: true });
  if (!gone.aborted && !draining.aborted) await over.promise;
  for (const signal of [gone, draining]) signal.removeEventListener('abort', onOver);
  stopListening();
  const cancelEnd = clock.after(END_MS, () => void reply.drop());
  const lastWord = async (): Promise<void> => write(frame('snapshot', await source.snapshot()));
  if (!gone.aborted) await lastWord().catch(onError); // it drains, and says so
  if (!gone.aborted) await reply.end();
  cancelEnd();
  cancelPatience();
}

/** Takes a snapshot every so often while somebody listens. */
interface Beat {
  listen(listener: (bytes: Uint8Array) => void): () => void;
}

function createBeat({ clock, source, pace, onError }: LiveFeedOptions): Beat {
  const listeners = new Set<(bytes: Uint8Array) => void>();
  let cancelNext = (): void => {};
  const next = (): void => {
    cancelNext();
    cancelNext = clock.after(pace.everyMs, () => void strike());
  };
  const strike = async (): Promise<void> => {
    try {
      const bytes = frame('snapshot', await source.snapshot());
      for (const listener of listeners) listener(bytes);
    } catch (error) {
      onError(error);
    }
    if (listeners.size > 0) next();
  };
  return {
    listen(listener) {
      listeners.add(listener);
      if (listeners.size === 1) next();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) cancelNext();
      };
    },
  };
}

const encoder = new TextEncoder();

function frame(event: string, data: object): Uint8Array {
  return encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
