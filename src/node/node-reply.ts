import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Reply, ResponseHead, StopReason } from '../core/exchange.ts';
import type { HeaderMap } from '../core/headers.ts';

/**
 * A reply that writes to the response stream of `node:http` itself. Web Streams in between cost more than everything
 * else a gateway does. `signal` is aborted when the connection ends before the answer has left, whichever way it ends, or
 * when somebody stops the exchange.
 */
export interface NodeReply extends Reply {
  readonly isGone: boolean;
  readonly opened: Promise<void>;
  readonly signal: AbortSignal;
  stop(reason: StopReason): void;
}

export function createNodeReply(incoming: IncomingMessage, outgoing: ServerResponse): NodeReply {
  return new ReplyOnResponse(incoming, outgoing);
}

class ReplyOnResponse implements NodeReply {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #socket: Socket;
  readonly #over = new AbortController();
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #hasWritten = false;
  #waitingForDrain: (() => void) | null = null;
  isOpen = false;
  isGone = false;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#socket = incoming.socket;
    outgoing.on('close', this.#onClose);
    this.#socket.on('close', this.#onClose);
    this.#socket.on('end', this.#onHalfClose);
    outgoing.on('drain', this.#drained);
    if (this.#socket.destroyed) this.#onClose();
  }

  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  stop(reason: StopReason): void {
    this.#over.abort(reason);
  }

  open({ status, headers }: ResponseHead): void {
    this.isOpen = true;
    this.#opened.resolve();
    if (this.isGone) return;
    this.#outgoing.writeHead(status, headers as Record<string, string | string[]>);
    // The first chunk nearly always comes with the head and shares its packet; a head alone must not wait for it.
    setImmediate(() => {
      if (!this.#hasWritten && !this.#outgoing.writableEnded && !this.isGone) this.#outgoing.flushHeaders();
    });
  }

  write(chunk: Uint8Array): boolean {
    this.#hasWritten = true;
    return this.isGone || this.#outgoing.write(chunk);
  }

  onDrain(run: () => void): void {
    if (this.isGone) run();
    else this.#waitingForDrain = run;
  }

  end(trailers?: HeaderMap): Promise<void> {
    if (trailers && !this.isGone) this.#outgoing.addTrailers(trailers as Record<string, string>);
    if (!this.isGone) this.#outgoing.end();
    return this.#closed.promise;
  }

  cut(): Promise<void> {
    if (!this.#outgoing.socket) this.#outgoing.destroy();
    else if (this.#endsWithConnection()) this.#socket.write('', () => this.#socket.resetAndDestroy());
    else this.#socket.destroySoon();
    return this.#closed.promise;
  }

  drop(): Promise<void> {
    if (this.#outgoing.socket) this.#socket.destroy();
    else this.#outgoing.destroy();
    return this.#closed.promise;
  }

  /** As to HTTP/1.0 (nginx's default towards its upstreams): there a FIN is the proper end, and only RST says `cut`. */
  #endsWithConnection(): boolean {
    return this.#incoming.httpVersionMinor === 0 && !this.#outgoing.hasHeader('content-length');
  }

  readonly #drained = (): void => {
    const run = this.#waitingForDrain;
    this.#waitingForDrain = null;
    run?.();
  };

  // The response of a pipelined request has no socket yet: only the connection tells that its caller is gone.
  readonly #onClose = (): void => {
    this.#outgoing.off('close', this.#onClose);
    this.#socket.off('close', this.#onClose);
    this.#socket.off('end', this.#onHalfClose);
    if (!this.#outgoing.writableFinished) {
      this.isGone = true;
      this.#over.abort('caller_gone' satisfies StopReason);
    }
    this.#closed.resolve();
    this.#drained();
  };

  // Node ends its side on a FIN: an answer that has not been ended by then never will be, and waiting for 'close' would
  // be waiting for a reader who need not read on.
  readonly #onHalfClose = (): void => {
    if (this.#outgoing.writableEnded) return;
    if (this.#outgoing.socket) this.#socket.destroy();
    else this.#onClose();
  };
}
