import { concatenate } from '../../core/bytes.ts';
import type { UpstreamFailure } from '../../core/attempt.ts';
import type { Outcome, StreamOutcome } from '../../core/exchange.ts';
import type { HeaderMap } from '../../core/headers.ts';
import { createStreamMeter } from '../../core/stream-meter.ts';
import { failureOfCode, failureOfStreamError } from '../../core/failures/upstream-failure.ts';
import { sumUsage } from '../../core/usage.ts';
import { errorFrame, PING_FRAME } from '../../ingress/anthropic-frames.ts';
import type { Answer, AnswerRelay } from './answer-relay.ts';
import { stoppedAs, unsent } from './relay-endings.ts';
import { createStreamRecovery, type Recovered } from './stream-recovery.ts';
import type { UpstreamEnd } from '../upstream.ts';

/**
 * An event stream on its way. Its head and `message_start` wait for the first content: until then the call can be made
 * again and nothing has to be taken back, and the head can say what the cache did. Two things are added, both only between
 * events: a ping into silence, and an error frame into a stream that can't be finished.
 */

/** Proxies and clients give up on silent streams; many idle limits are at 30 or 60 s. */
const PING_AFTER_SILENCE_MS = 15_000;
/** More than this without any content is no stream of ours: it passes. */
const MAX_HELD_BYTES = 256 * 1024;

export function createStreamRelay(answer: Answer): AnswerRelay {
  const { request, context, options, head, writer } = answer;
  const { clock } = options;
  const { timings, watch } = context;
  const meter = createStreamMeter();
  const recovery = recoveryFor(answer, (chunk) => pass(chunk));
  /** Reads what the caller gets, where that is not byte for byte what comes. */
  const sentMeter = recovery ? createStreamMeter() : meter;
  context.notes.answer = sentMeter;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let lastByteAtMs = clock.nowMs();
  let recovered: Recovered | null = null;

  const usage = () => {
    if (meter.model === null) return null;
    return recovered ? sumUsage(meter.usage, recovered.usage) : meter.usage;
  };

  const open = (more?: HeaderMap): void => {
    const { 'content-length': _length, ...headers } = head.headers; // pings make it longer
    const own = recovery ? RECOVERY_HEADERS : {};
    writer.open({ status: head.status, headers }, usage(), { ...own, ...more });
    for (const chunk of held) writer.write(chunk);
    held = [];
  };

  /** Silence ends the holding too: a caller must hear something before it gives up. */
  const fillSilence = (): void => {
    const silentMs = clock.nowMs() - lastByteAtMs;
    if (silentMs >= PING_AFTER_SILENCE_MS && sentMeter.atBoundary && sentMeter.ending === 'open') {
      lastByteAtMs = clock.nowMs();
      if (!writer.isOpen) open();
      if (!writer.isFull) writer.write(PING_FRAME);
    }
    const nextMs = silentMs >= PING_AFTER_SILENCE_MS ? PING_AFTER_SILENCE_MS : PING_AFTER_SILENCE_MS - silentMs;
    stopTimer = clock.after(nextMs, fillSilence);
  };
  options.onOpenStreams(1);
  let stopTimer = clock.after(PING_AFTER_SILENCE_MS, fillSilence);

  const pass = (chunk: Uint8Array): boolean => {
    if (recovery) sentMeter.push(chunk);
    if (chunk.length === 0) return !writer.isFull;
    if (writer.isOpen) return writer.write(chunk);
    held.push(chunk);
    heldBytes += chunk.length;
    if (sentMeter.hasContent || sentMeter.ending === 'complete' || heldBytes > MAX_HELD_BYTES) open();
    return !writer.isFull;
  };

  const failureOf = (end: UpstreamEnd): UpstreamFailure | null => {
    if (meter.ending === 'error') return failureOfStreamError(meter.errorType);
    if (end.kind === 'failed') return failureOfCode(end.code);
    return end.kind === 'ended' && meter.ending === 'open' ? failureOfStreamError(null) : null;
  };

  const settle = async (end: UpstreamEnd): Promise<StreamOutcome> => {
    const isWhole = recovered?.isWhole || (end.kind === 'ended' && sentMeter.ending !== 'open');
    if (isWhole) await writer.end(recovered ? { 'x-slipstream-spliced': String(recovered.spliced) } : undefined);
    const stopped = stoppedAs(context); // also by a reader that left or stalled before the last byte had
    if (stopped) return stopped;
    if (isWhole) return sentMeter.ending === 'error' ? 'upstream_error' : 'complete';
    const lastWord = recovered?.heldError;
    if (lastWord) writer.write(lastWord);
    else if (sentMeter.atBoundary && sentMeter.ending === 'open')
      writer.write(errorFrame(whyUnfinished(end), request.id));
    await writer.cut();
    return meter.ending === 'error' ? 'upstream_error' : 'truncated';
  };

  const whyUnfinished = (end: UpstreamEnd) => {
    if (context.signal.reason === 'draining') return { code: 'draining', detail: CUT_SHORT } as const;
    return { code: end.kind === 'failed' ? end.code : 'upstream_broken', detail: CUT_SHORT } as const;
  };

  const answered = async (end: UpstreamEnd, failure: UpstreamFailure | null): Promise<Outcome> => {
    const outcome = await settle(end);
    // What failed before its first content is not billed.
    const told = failure && !meter.hasContent ? null : usage();
    return {
      kind: 'answered',
      status: head.status,
      isStream: true,
      end: outcome,
      usage: told,
      model: meter.model,
      failure,
    };
  };

  return {
    chunk(chunk) {
      const arrivedAtMs = clock.nowMs();
      lastByteAtMs = arrivedAtMs;
      meter.push(chunk);
      const wantsMore = pass(recovery ? recovery.push(chunk) : chunk);
      if (timings.firstContentAtMs === null && meter.hasContent) {
        timings.firstContentAtMs = clock.nowMs();
        timings.firstEventMs = timings.firstContentAtMs - arrivedAtMs;
        context.onContent(meter.messageId);
        watch.onContent(usage());
      }
      return wantsMore;
    },
    async finish(end) {
      const failure = failureOf(end);
      if (recovery && failure && writer.isOpen && !context.signal.aborted) recovered = await recovery.goOn(failure);
      stopTimer();
      options.onOpenStreams(-1);
      if (writer.isOpen) return answered(end, failure);
      if (end.kind === 'aborted' || meter.ending !== 'error') {
        return unsent(end, context, { usage: failure ? null : usage(), model: meter.model });
      }
      const send = (more?: HeaderMap): Promise<Outcome> => {
        open(more);
        return answered(end, failure);
      };
      return { kind: 'held', status: head.status, body: concatenate(held), failure, send };
    },
  };
}

const CUT_SHORT = 'The stream ended before the message was complete.';

/** By the time that something is joined the head has left: the trailer says how many streams were. */
const RECOVERY_HEADERS = { 'x-slipstream-recover': 'continue', trailer: 'x-slipstream-spliced' };

function recoveryFor({ request, context, options, writer }: Answer, pass: (chunk: Uint8Array) => boolean) {
  const { body, model } = request;
  if (context.tenant.recover !== 'continue' || !(body instanceof Uint8Array) || !options.callAgain) return null;
  return createStreamRecovery({
    ...options.callAgain,
    body,
    model,
    credential: options.credential,
    wallMs: () => options.clock.wallMs(),
    pass,
    onDrain: (run) => writer.onDrain(run),
  });
}
