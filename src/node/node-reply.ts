import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply, StopReason } from '../core/exchange.ts';

/**
 * A reply that writes to the response stream of `node:http` itself. Web Streams in between cost more than everything
 * else a gateway does. `signal` is aborted when the connection ends before the answer has left, whichever way it ends, or
 * when somebody stops the exchange.
 */
export interface NodeReply extends Reply {
  readonly isGone: boolean;
  readonly signal: AbortSignal;
  stop(reason: StopReason): void;
}

export function createNodeReply(incoming: IncomingMessage, outgoing: ServerResponse): NodeReply {
  const over = new AbortController();
  let isGone = false;
  const { socket } = incoming;
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<void>();
  let isOpen = false;
  let hasWritten = false;
  let waitingForDrain: (() => void) | null = null;

  const onDrain = (): void => {
    const run = waitingForDrain;
    waitingForDrain = null;
    run?.();
  };
  // The response of a pipelined request has no socket yet: only the connection tells that its caller is gone.
  const onClose = (): void => {
    outgoing.off('close', onClose);
    socket.off('close', onClose);
    socket.off('end', onHalfClose);
    if (!outgoing.writableFinished) {
      isGone = true;
      over.abort('caller_gone' satisfies StopReason);
    }
    resolveClosed();
    onDrain();
  };
  // Node ends its side on a FIN: an answer that has not been ended by then never will be, and waiting for 'close' would
  // be waiting for a reader who need not read on.
  const onHalfClose = (): void => {
    if (outgoing.writableEnded) return;
    if (outgoing.socket) socket.destroy();
    else onClose();
  };
  outgoing.on('close', onClose);
  socket.on('close', onClose);
  socket.on('end', onHalfClose);
  outgoing.on('drain', onDrain);
  if (socket.destroyed) onClose();

  /** As to HTTP/1.0 (nginx's default towards its upstreams): there a FIN is the proper end, and only RST says `cut`. */
  const endsWithConnection = (): boolean => incoming.httpVersionMinor === 0 && !outgoing.hasHeader('content-length');

  return {
    get isGone() {
      return isGone;
    },
    signal: over.signal,
    stop: (reason) => over.abort(reason),
    get isOpen() {
      return isOpen;
    },
    open({ status, headers }) {
      isOpen = true;
      if (isGone) return;
      outgoing.writeHead(status, headers as Record<string, string | string[]>);
      // The first chunk nearly always comes with the head and shares its packet; a head alone must not wait for it.
      setImmediate(() => {
        if (!hasWritten && !outgoing.writableEnded && !isGone) outgoing.flushHeaders();
      });
    },
    write(chunk) {
      hasWritten = true;
      return isGone || outgoing.write(chunk);
    },
    onDrain(run) {
      if (isGone) run();
      else waitingForDrain = run;
    },
    end(trailers) {
      if (trailers && !isGone) outgoing.addTrailers(trailers as Record<string, string>);
      if (!isGone) outgoing.end();
      return closed;
    },
    cut() {
      if (!outgoing.socket) outgoing.destroy();
      else if (endsWithConnection()) socket.write('', () => socket.resetAndDestroy());
      else socket.destroySoon();
      return closed;
    },
    drop() {
      if (outgoing.socket) socket.destroy();
      else outgoing.destroy();
      return closed;
    },
  };
}
