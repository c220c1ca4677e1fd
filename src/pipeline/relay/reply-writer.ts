import type { Clock } from '../../core/clock.ts';
import type { HeaderMap } from '../../core/headers.ts';
import type { GatewayRequest, Reply, ResponseHead } from '../../core/exchange.ts';
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

export function createReplyWriter(request: GatewayRequest, context: Context, options: ReplyWriterOptions): ReplyWriter {
  return new Writer(request, context, options);
}

class Writer implements ReplyWriter {
  readonly #request: GatewayRequest;
  readonly #context: Context;
  readonly #options: ReplyWriterOptions;
  readonly #reply: Reply;
  #waiting: (() => void) | null = null;
  #stopWatching: (() => void) | null = null;
  isFull = false;

  constructor(request: GatewayRequest, context: Context, options: ReplyWriterOptions) {
    this.#request = request;
    this.#context = context;
    this.#options = options;
    this.#reply = context.reply;
  }

  get isOpen(): boolean {
    return this.#reply.isOpen;
  }

  open(head: ResponseHead, usage: TokenUsage | null, more: HeaderMap = {}): void {
    const cache = this.#context.watch.cacheHeader(usage);
    const headers = replyHeaders(head, this.#request, this.#context, this.#options.hideRateLimits, cache);
    this.#reply.open({ status: head.status, headers: { ...headers, ...more } });
  }

  write(chunk: Uint8Array): boolean {
    const wantsMore = this.#reply.write(chunk);
    if (wantsMore || this.isFull) return wantsMore;
    this.isFull = true;
    this.#watchReader();
    this.#reply.onDrain(() => this.#drained());
    return false;
  }

  onDrain(run: () => void): void {
    if (this.isFull) this.#waiting = run;
    else run();
  }

  end(trailers?: HeaderMap): Promise<void> {
    return this.#untilRead(this.#reply.end(trailers));
  }

  cut(): Promise<void> {
    return this.#untilRead(this.#reply.cut());
  }

  #watchReader(): void {
    const { clock, streamIdleMs } = this.#options;
    this.#stopWatching ??= clock.after(streamIdleMs(), () => {
      this.#context.stop('reader_stalled');
      void this.#reply.drop();
    });
  }

  #readerMoved(): void {
    this.#stopWatching?.();
    this.#stopWatching = null;
  }

  #drained(): void {
    this.isFull = false;
    this.#readerMoved();
    const run = this.#waiting;
    this.#waiting = null;
    run?.();
  }

  async #untilRead(ending: Promise<void>): Promise<void> {
    this.#watchReader();
    await ending;
    this.#readerMoved();
  }
}
