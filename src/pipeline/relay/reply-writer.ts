import type { Clock } from '../../core/clock.ts';
import type { HeaderMap } from '../../core/headers.ts';
import type { GatewayRequest, ResponseHead } from '../../core/exchange.ts';
import type { TokenUsage } from '../../core/usage.ts';
import { replyHeaders } from './reply-headers.ts';
import type { Context } from '../service.ts';

/**
 * The caller's side of a relay: one reply, and an eye on whoever reads it. A reader that takes nothing of what waits for
 * it within `streamIdle` is cut: it holds a slot, buffers and an upstream stream, and would hold them for ever.
 */
export interface ReplyWriter {
  readonly isOpen: boolean;
  /** The reader is behind: nothing more should be written until `onDrain`. */
  readonly isFull: boolean;
  /** @param usage what the answer has said by now, for `x-slipstream-cache`; @param more headers to put on it. */
  open(head: ResponseHead, usage: TokenUsage | null, more?: HeaderMap): void;
  write(chunk: Uint8Array): boolean;
  /** Runs once when there is room again; the newest `run` counts. */
  onDrain(run: () => void): void;
  /** Ends properly; resolves when the last byte has left or the reader is gone or cut. */
  end(trailers?: HeaderMap): Promise<void>;
  /** Ends visibly unfinished. */
  cut(): Promise<void>;
}

export interface ReplyWriterOptions {
  readonly clock: Clock;
  readonly hideRateLimits: boolean;
  readonly streamIdleMs: () => number;
}

export function createReplyWriter(
  request: GatewayRequest,
  context: Context,
  { clock, hideRateLimits, streamIdleMs }: ReplyWriterOptions,
): ReplyWriter {
  const { reply, watch } = context;
  let isFull = false;
  let waiting = (): void => {};
  let stopWatching: (() => void) | null = null;

  const watchReader = (): void => {
    stopWatching ??= clock.after(streamIdleMs(), () => {
      context.stop('reader_stalled');
      void reply.drop();
    });
  };
  const readerMoved = (): void => {
    stopWatching?.();
    stopWatching = null;
  };
  const drained = (): void => {
    isFull = false;
    readerMoved();
    const run = waiting;
    waiting = () => {};
    run();
  };
  const untilRead = async (ending: Promise<void>): Promise<void> => {
    watchReader();
    await ending;
    readerMoved();
  };

  return {
    get isOpen() {
      return reply.isOpen;
    },
    get isFull() {
      return isFull;
    },
    open(head, usage, more = {}) {
      const headers = replyHeaders(head, request, context, hideRateLimits, watch.cacheHeader(usage));
      reply.open({ status: head.status, headers: { ...headers, ...more } });
    },
    write(chunk) {
      const wantsMore = reply.write(chunk);
      if (wantsMore || isFull) return wantsMore;
      isFull = true;
      watchReader();
      reply.onDrain(drained);
      return false;
    },
    onDrain(run) {
      if (isFull) waiting = run;
      else run();
    },
    end: (trailers) => untilRead(reply.end(trailers)),
    cut: () => untilRead(reply.cut()),
  };
}
