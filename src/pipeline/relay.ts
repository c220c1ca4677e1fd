import { concatenate } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import type { GatewayRequest, Outcome, ResponseHead, StreamOutcome } from '../core/exchange.ts';
import { forwardedResponseHeaders, headerValue } from '../core/headers.ts';
import { createStreamMeter, type StreamMeter } from '../core/stream-meter.ts';
import { readAnswer } from '../ingress/anthropic-answer.ts';
import { errorFrame, PING_FRAME } from '../ingress/anthropic-frames.ts';
import type { Context } from './service.ts';
import type { AnswerReceiver, Flow, UpstreamEnd } from './upstream.ts';

/**
 * The way of an answer from upstream to caller: every byte at once and untouched, the meter reading along. Two things
 * are added, both only between events: a ping into silence, and an error frame into a stream that can't be finished.
 * Invariant: the caller sees a proper end if and only if the upstream's answer was whole.
 */
export interface Relay extends AnswerReceiver {
  /** Call once when the upstream call is over; settles the caller's side and says what became of it. */
  finish(end: UpstreamEnd): Promise<Outcome>;
}

export interface RelayOptions {
  readonly clock: Clock;
  readonly hideRateLimits: boolean;
  /** +1 when an event stream begins, -1 when it is over. */
  readonly onOpenStreams: (by: 1 | -1) => void;
}

/** Proxies and clients give up on silent streams; many idle limits are at 30 or 60 s. */
const PING_AFTER_SILENCE_MS = 15_000;
/** A JSON answer beyond this is relayed and not read: no model writes one. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

export function createRelay(request: GatewayRequest, context: Context, options: RelayOptions): Relay {
  const { reply, timings } = context;
  const { clock } = options;
  let status = 0;
  let flow: Flow = { resume: () => {} };
  let meter: StreamMeter | null = null;
  let refusedRedirect = false;
  let stopPings = (): void => {};
  let lastWriteAtMs = 0;
  let collected: Uint8Array[] = [];
  let collectedBytes = 0;

  const write = (chunk: Uint8Array): boolean => {
    lastWriteAtMs = clock.nowMs();
    return reply.write(chunk);
  };

  const pingIntoSilence = (): void => {
    const silentMs = clock.nowMs() - lastWriteAtMs;
    if (silentMs >= PING_AFTER_SILENCE_MS && meter?.atBoundary) write(PING_FRAME);
    const nextMs = silentMs >= PING_AFTER_SILENCE_MS ? PING_AFTER_SILENCE_MS : PING_AFTER_SILENCE_MS - silentMs;
    stopPings = clock.after(nextMs, pingIntoSilence);
  };

  const readAlong = (chunk: Uint8Array): void => {
    if (!meter) {
      collectedBytes += chunk.length;
      if (collectedBytes <= MAX_READ_BYTES) collected.push(chunk);
      return;
    }
    meter.push(chunk);
    if (timings.firstContentAtMs === null && meter.hasContent) timings.firstContentAtMs = clock.nowMs();
  };

  const settle = async (end: UpstreamEnd): Promise<StreamOutcome> => {
    const isWhole = end.kind === 'ended' && (meter === null || meter.ending !== 'open');
    if (isWhole) {
      await reply.end();
      if (context.signal.aborted) return 'client_abort'; // left before the last byte had
      return meter?.ending === 'error' ? 'upstream_error' : 'complete';
    }
    if (context.signal.aborted) return 'client_abort';
    if (meter?.atBoundary && meter.ending === 'open') {
      const code = end.kind === 'failed' ? end.code : 'upstream_broken';
      const detail = 'The stream ended before the message was complete.';
      reply.write(errorFrame({ code, detail }, request.id));
    }
    await reply.cut();
    return meter?.ending === 'error' ? 'upstream_error' : 'truncated';
  };

  const facts = () => {
    if (meter) return { usage: meter.model === null ? null : meter.usage, model: meter.model };
    if (status !== 200 || request.operation !== 'messages' || collectedBytes > MAX_READ_BYTES) return NO_FACTS;
    return readAnswer(concatenate(collected));
  };

  return {
    head(head, upstreamFlow) {
      timings.upstreamHeadAtMs = clock.nowMs();
      status = head.status;
      flow = upstreamFlow;
      if (isRedirect(status)) {
        refusedRedirect = true;
        return;
      }
      if (isEventStream(head)) {
        meter = createStreamMeter();
        options.onOpenStreams(1);
        lastWriteAtMs = clock.nowMs();
        stopPings = clock.after(PING_AFTER_SILENCE_MS, pingIntoSilence);
      }
      const headers = replyHeaders(head, request, context, options);
      if (meter) delete headers['content-length']; // pings make it longer
      reply.open({ status, headers });
    },
    chunk(chunk) {
      if (refusedRedirect) return true;
      const arrivedAtMs = timings.firstContentAtMs === null ? clock.nowMs() : 0;
      const wantsMore = write(chunk);
      readAlong(chunk);
      if (timings.firstEventMs === null && timings.firstContentAtMs !== null) {
        timings.firstEventMs = clock.nowMs() - arrivedAtMs;
      }
      if (!wantsMore) reply.onDrain(() => flow.resume());
      return wantsMore;
    },
    async finish(end) {
      stopPings();
      if (meter) options.onOpenStreams(-1);
      if (refusedRedirect) return { kind: 'refused', refusal: { code: 'upstream_redirected' } };
      if (!reply.isOpen) {
        if (context.signal.aborted || end.kind !== 'failed') return { kind: 'abandoned' };
        return { kind: 'refused', refusal: { code: end.code } };
      }
      const outcome = await settle(end);
      const { usage, model } = facts();
      collected = [];
      return { kind: 'answered', status, isStream: meter !== null, end: outcome, usage, model };
    },
  };
}

const NO_FACTS = { usage: null, model: null };

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

function isEventStream(head: ResponseHead): boolean {
  return head.status === 200 && (headerValue(head.headers, 'content-type') ?? '').startsWith('text/event-stream');
}

function replyHeaders(head: ResponseHead, request: GatewayRequest, context: Context, options: RelayOptions) {
  const headers = forwardedResponseHeaders(head.headers, options.hideRateLimits);
  headers['x-slipstream-id'] = request.id;
  headers['x-slipstream-cache'] = 'off';
  headers['server-timing'] = serverTiming(request, context);
  return headers;
}

/** RFC 9211's sibling `Server-Timing` (W3C): milliseconds with a tenth. */
function serverTiming(request: GatewayRequest, { timings }: Context): string {
  const headAtMs = timings.upstreamHeadAtMs ?? 0;
  const sentAtMs = timings.upstreamSentAtMs ?? headAtMs;
  const overheadMs = sentAtMs - request.receivedAtMs - timings.queueMs;
  const metric = (name: string, ms: number): string => `${name};dur=${Math.max(0, ms).toFixed(1)}`;
  return [
    metric('queue', timings.queueMs),
    metric('upstream', headAtMs - sentAtMs),
    metric('overhead', overheadMs),
  ].join(', ');
}
