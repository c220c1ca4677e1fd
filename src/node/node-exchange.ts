import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Clock } from '../core/clock.ts';
import type { HeaderMap } from '../core/headers.ts';
import type { Outcome, Reply } from '../core/exchange.ts';
import type { BodyLimits, BodyResult, ExchangeOf, HttpExchange, Responded } from '../http/exchange.ts';
import { createNodeReply, type NodeReply } from './node-reply.ts';

/** The exchange of `node:http`: bytes are read from and written to Node's own streams, past Hono's Request. */
export function createNodeExchange(clock: Clock): ExchangeOf {
  return (context) => {
    const { incoming, outgoing } = context.env as HttpBindings;
    return nodeExchange(incoming, outgoing, clock);
  };
}

function nodeExchange(incoming: IncomingMessage, outgoing: ServerResponse, clock: Clock): HttpExchange {
  const reply = createNodeReply(incoming, outgoing);
  return {
    method: incoming.method ?? 'GET',
    target: originForm(incoming.url ?? '/'),
    headers: incoming.headers as HeaderMap,
    signal: reply.signal,
    stop: (reason) => reply.stop(reason),
    readBody: (limits) => readBody(incoming, limits, clock),
    bodyStream: () => (hasBody(incoming) ? incoming.iterator({ destroyOnReturn: false }) : null),
    respond: (run) => respond(run, reply, incoming),
  };
}

const SENT: Responded = { kind: 'sent', response: RESPONSE_ALREADY_SENT };

/** Hono is done when the reply opens: to let it wait for the end would keep all that it has made for the whole stream. */
function respond(
  run: (reply: Reply) => Promise<Outcome>,
  reply: NodeReply,
  incoming: IncomingMessage,
): Promise<Responded> {
  const over = run(reply).then((outcome): Responded => {
    letPass(incoming);
    return reply.isOpen || reply.isGone ? SENT : { kind: 'unsent', outcome };
  });
  return Promise.race([reply.opened.then(() => SENT), over]);
}

/** The absolute form names a host that is not the upstream's (RFC 9112 §3.2.2): only what stands behind it counts. */
function originForm(target: string): string {
  return target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/?#]*\/?/i, '/');
}

/**
 * Who answers before an upload is whole reads it no further. What is still on its way is taken off the connection, or the
 * answer, and every one behind it, might never be read.
 */
function letPass(incoming: IncomingMessage): void {
  if (!incoming.complete) incoming.removeAllListeners('readable').resume();
}

function hasBody(incoming: IncomingMessage): boolean {
  return incoming.headers['transfer-encoding'] !== undefined || Number(incoming.headers['content-length'] ?? 0) > 0;
}

/**
 * The whole body in one piece, copied once: into a buffer of the announced length, where it was announced. Stops
 * listening, without destroying anything, as soon as the body is refused; the server drains or closes what is left.
 */
function readBody(incoming: IncomingMessage, limits: BodyLimits, clock: Clock): Promise<BodyResult> {
  const announced = Number(incoming.headers['content-length'] ?? Number.NaN);
  if (announced > limits.maxBytes) return Promise.resolve({ kind: 'too_large' });
  const { promise, resolve } = Promise.withResolvers<BodyResult>();
  const chunks: Buffer[] = [];
  let whole: Buffer | null = null;
  let size = 0;
  let lastDataAtMs = clock.nowMs();

  const finish = (result: BodyResult): void => {
    incoming.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    if (result.kind !== 'read') incoming.pause();
    cancelStall();
    resolve(result);
  };
  const onData = (chunk: Buffer): void => {
    lastDataAtMs = clock.nowMs();
    if (size + chunk.length > limits.maxBytes) return finish({ kind: 'too_large' });
    if (Number.isNaN(announced)) {
      chunks.push(chunk);
    } else {
      whole ??= Buffer.allocUnsafeSlow(announced);
      whole.set(chunk, size);
    }
    size += chunk.length;
  };
  const onEnd = (): void => finish({ kind: 'read', bytes: whole ?? Buffer.concat(chunks, size) });
  const onClose = (): void => finish({ kind: 'gone' });
  const checkStall = (): void => {
    const leftMs = lastDataAtMs + limits.stallMs - clock.nowMs();
    if (leftMs <= 0) return finish({ kind: 'stalled' });
    cancelStall = clock.after(leftMs, checkStall);
  };
  let cancelStall = clock.after(limits.stallMs, checkStall);
  incoming.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  return promise;
}
