import { concatenate } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import type { GatewayRequest, Outcome, ResponseHead, StreamOutcome } from '../core/exchange.ts';
import { headerValue } from '../core/headers.ts';
import { createStreamMeter, type StreamMeter } from '../core/stream-meter.ts';
import { readAnswer, type AnswerFacts } from '../ingress/anthropic-answer.ts';
import { errorFrame, PING_FRAME } from '../ingress/anthropic-frames.ts';
import { replyHeaders } from './reply-headers.ts';
import type { Context } from './service.ts';
import type { AnswerReceiver, Flow, UpstreamEnd } from './upstream.ts';

/**
 * The way of an answer from upstream to caller: every byte untouched, the meter reading along. Two things are added, both
 * only between events: a ping into silence, and an error frame into a stream that can't be finished. The head waits for
 * what it has to say of the cache: for `message_start`, which comes with it, or for a JSON answer's end.
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
/** A head whose first event is late goes out alone. */
const HEAD_ALONE_AFTER_MS = 250;
/** A JSON answer is kept until it is whole, up to here; no caller can use half of one. */
const MAX_KEPT_BYTES = 1024 * 1024;
/** A JSON answer beyond this is relayed and not read: no model writes one. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

export function createRelay(request: GatewayRequest, context: Context, options: RelayOptions): Relay {
  const { reply, timings, watch } = context;
  const { clock } = options;
  let head: ResponseHead = { status: 0, headers: {} };
  let flow: Flow = { resume: () => {} };
  let meter: StreamMeter | null = null;
  let keeps: 'nothing' | 'head' | 'answer' | 'for_layer' | 'redirect' = 'nothing';
  let stopTimer = (): void => {};
  let lastWriteAtMs = 0;
  let collected: Uint8Array[] = [];
  let collectedBytes = 0;
  let answer: (AnswerFacts & { readonly atBytes: number }) | null = null;

  const open = (): void => {
    keeps = 'nothing';
    const headers = replyHeaders(head, request, context, options.hideRateLimits, watch.cacheHeader(facts().usage));
    if (meter) delete headers['content-length']; // pings make it longer
    reply.open({ status: head.status, headers });
  };

  const openAndSend = (): void => {
    open();
    for (const chunk of collected) reply.write(chunk);
  };

  const pingIntoSilence = (): void => {
    const silentMs = clock.nowMs() - lastWriteAtMs;
    if (silentMs >= PING_AFTER_SILENCE_MS && meter?.atBoundary) {
      lastWriteAtMs = clock.nowMs();
      reply.write(PING_FRAME);
    }
    const nextMs = silentMs >= PING_AFTER_SILENCE_MS ? PING_AFTER_SILENCE_MS : PING_AFTER_SILENCE_MS - silentMs;
    stopTimer = clock.after(nextMs, pingIntoSilence);
  };

  const startStream = (): void => {
    meter = createStreamMeter();
    options.onOpenStreams(1);
    lastWriteAtMs = clock.nowMs();
    keeps = 'head';
    stopTimer = clock.after(HEAD_ALONE_AFTER_MS, () => {
      if (keeps === 'head') open();
      stopTimer = clock.after(PING_AFTER_SILENCE_MS - HEAD_ALONE_AFTER_MS, pingIntoSilence);
    });
  };

  /** A 200 whose usage is read; the rest goes through as it comes. */
  const isReadAnswer = (): boolean => head.status === 200 && request.operation === 'messages' && meter === null;

  const collect = (chunk: Uint8Array): void => {
    collectedBytes += chunk.length;
    if (collectedBytes <= MAX_READ_BYTES) collected.push(chunk);
  };

  const facts = (): AnswerFacts => {
    if (meter) return { usage: meter.model === null ? null : meter.usage, model: meter.model };
    if (!isReadAnswer() || collectedBytes > MAX_READ_BYTES) return NO_FACTS;
    if (answer?.atBytes !== collectedBytes) {
      answer = { atBytes: collectedBytes, ...readAnswer(concatenate(collected)) };
    }
    return answer;
  };

  const passStreamChunk = (stream: StreamMeter, chunk: Uint8Array): boolean => {
    const arrivedAtMs = clock.nowMs();
    lastWriteAtMs = arrivedAtMs;
    stream.push(chunk);
    if (keeps === 'head') open();
    const wantsMore = reply.write(chunk);
    if (timings.firstContentAtMs === null && stream.hasContent) {
      timings.firstContentAtMs = clock.nowMs();
      timings.firstEventMs = timings.firstContentAtMs - arrivedAtMs;
      watch.onContent(facts().usage);
    }
    return wantsMore;
  };

  const pass = (chunk: Uint8Array): boolean => {
    if (keeps === 'redirect') return true;
    if (meter) return passStreamChunk(meter, chunk);
    if (keeps === 'nothing' && !isReadAnswer()) return reply.write(chunk);
    if (keeps !== 'nothing' && collectedBytes + chunk.length > MAX_KEPT_BYTES) openAndSend();
    collect(chunk);
    return keeps === 'nothing' ? reply.write(chunk) : true;
  };

  const settle = async (end: UpstreamEnd): Promise<StreamOutcome> => {
    const isWhole = end.kind === 'ended' && (meter === null || meter.ending !== 'open');
    if (isWhole) {
      if (isReadAnswer()) watch.onContent(facts().usage);
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

  const answered = async (end: UpstreamEnd): Promise<Outcome> => {
    const outcome = await settle(end);
    const { usage, model } = facts();
    collected = [];
    return { kind: 'answered', status: head.status, isStream: meter !== null, end: outcome, usage, model };
  };

  const held = (end: UpstreamEnd): Outcome => ({
    kind: 'held',
    status: head.status,
    body: concatenate(collected),
    send() {
      openAndSend();
      return answered(end);
    },
  });

  return {
    head(answerHead, upstreamFlow) {
      timings.upstreamHeadAtMs = clock.nowMs();
      head = answerHead;
      flow = upstreamFlow;
      if (isRedirect(head.status)) keeps = 'redirect';
      else if (watch.holds(head.status)) keeps = 'for_layer';
      else if (isEventStream(head)) startStream();
      else if (isReadAnswer()) keeps = 'answer';
      else open();
    },
    chunk(chunk) {
      const wantsMore = pass(chunk);
      if (!wantsMore) reply.onDrain(() => flow.resume());
      return wantsMore;
    },
    async finish(end) {
      stopTimer();
      if (meter) options.onOpenStreams(-1);
      if (keeps === 'redirect') return { kind: 'refused', refusal: { code: 'upstream_redirected' } };
      if (head.status !== 0 && end.kind === 'ended') {
        if (keeps === 'for_layer') return held(end);
        if (keeps !== 'nothing') openAndSend();
      }
      if (reply.isOpen) return answered(end);
      if (context.signal.aborted || end.kind !== 'failed') return { kind: 'abandoned' };
      return { kind: 'refused', refusal: { code: end.code } };
    },
  };
}

const NO_FACTS: AnswerFacts = { usage: null, model: null };

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

/** Bytes in an encoding that nobody here can read pass as they are, so they are no stream to us. */
function isEventStream(head: ResponseHead): boolean {
  if (head.status !== 200 || head.headers['content-encoding'] !== undefined) return false;
  return (headerValue(head.headers, 'content-type') ?? '').startsWith('text/event-stream');
}
