import { concatenate } from '../../core/bytes.ts';
import type { UpstreamFailure } from '../../core/attempt.ts';
import type { Clock } from '../../core/clock.ts';
import type { ExchangeTimings, Outcome, StreamOutcome } from '../../core/exchange.ts';
import type { HeaderMap } from '../../core/headers.ts';
import { createStreamMeter, type StreamMeter } from '../../core/stream-meter.ts';
import { failureOfCode, failureOfStreamError } from '../../core/failures/upstream-failure.ts';
import { sumUsage, type TokenUsage } from '../../core/usage.ts';
import { errorFrame, PING_FRAME } from '../../ingress/anthropic-frames.ts';
import type { Answer, AnswerRelay } from './answer-relay.ts';
import { stoppedAs, unsent } from './relay-endings.ts';
import type { ReplyWriter } from './reply-writer.ts';
import { createStreamRecovery, type Recovered, type StreamRecovery } from './stream-recovery.ts';
import type { Context } from '../service.ts';
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
  return new StreamRelay(answer);
}

/** A class: there is one for every open stream, and closures would be an object for each of its methods. */
class StreamRelay implements AnswerRelay {
  readonly #answer: Answer;
  readonly #clock: Clock;
  readonly #timings: ExchangeTimings;
  readonly #writer: ReplyWriter;
  readonly #meter = createStreamMeter();
  readonly #recovery: StreamRecovery | null;
  /** Reads what the caller gets, where that is not byte for byte what comes. */
  readonly #sentMeter: StreamMeter;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #lastByteAtMs: number;
  #stopTimer: () => void;
  #recovered: Recovered | null = null;

  constructor(answer: Answer) {
    const { context, options, writer } = answer;
    this.#answer = answer;
    this.#clock = options.clock;
    this.#timings = context.timings;
    this.#writer = writer;
    this.#recovery = recoveryFor(answer, (chunk) => this.#pass(chunk));
    this.#sentMeter = this.#recovery ? createStreamMeter() : this.#meter;
    context.notes.answer = this.#sentMeter;
    this.#lastByteAtMs = this.#clock.nowMs();
    options.onOpenStreams(1);
    this.#stopTimer = this.#afterSilence(PING_AFTER_SILENCE_MS);
  }

  chunk(chunk: Uint8Array): boolean {
    const arrivedAtMs = this.#clock.nowMs();
    this.#lastByteAtMs = arrivedAtMs;
    this.#meter.push(chunk);
    const wantsMore = this.#pass(this.#recovery ? this.#recovery.push(chunk) : chunk);
    if (this.#timings.firstContentAtMs === null && this.#meter.hasContent) this.#noteContent(arrivedAtMs);
    return wantsMore;
  }

  async finish(end: UpstreamEnd): Promise<Outcome> {
    const { context, options, head } = this.#answer;
    const failure = this.#failureOf(end);
    if (this.#recovery && failure && this.#writer.isOpen && !context.signal.aborted) {
      this.#recovered = await this.#recovery.goOn(failure);
    }
    this.#stopTimer();
    options.onOpenStreams(-1);
    if (this.#writer.isOpen) return this.#answered(end, failure);
    if (end.kind === 'aborted' || this.#meter.ending !== 'error') {
      return unsent(end, context, { usage: failure ? null : this.#usage(), model: this.#meter.model });
    }
    const send = (more?: HeaderMap): Promise<Outcome> => {
      this.#open(more);
      return this.#answered(end, failure);
    };
    return { kind: 'held', status: head.status, body: concatenate(this.#held), failure, send };
  }

  #usage(): TokenUsage | null {
    if (this.#meter.model === null) return null;
    return this.#recovered ? sumUsage(this.#meter.usage, this.#recovered.usage) : this.#meter.usage;
  }

  #open(more?: HeaderMap): void {
    const { head } = this.#answer;
    const { 'content-length': _length, ...headers } = head.headers; // pings make it longer
    const own = this.#recovery ? RECOVERY_HEADERS : {};
    this.#writer.open({ status: head.status, headers }, this.#usage(), { ...own, ...more });
    for (const chunk of this.#held) this.#writer.write(chunk);
    this.#held = [];
  }

  #afterSilence(delayMs: number): () => void {
    return this.#clock.after(delayMs, () => this.#fillSilence());
  }

  /** Silence ends the holding too: a caller must hear something before it gives up. */
  #fillSilence(): void {
    const silentMs = this.#clock.nowMs() - this.#lastByteAtMs;
    if (silentMs >= PING_AFTER_SILENCE_MS && this.#sentMeter.atBoundary && this.#sentMeter.ending === 'open') {
      this.#lastByteAtMs = this.#clock.nowMs();
      if (!this.#writer.isOpen) this.#open();
      if (!this.#writer.isFull) this.#writer.write(PING_FRAME);
    }
    const nextMs = silentMs >= PING_AFTER_SILENCE_MS ? PING_AFTER_SILENCE_MS : PING_AFTER_SILENCE_MS - silentMs;
    this.#stopTimer = this.#afterSilence(nextMs);
  }

  #pass(chunk: Uint8Array): boolean {
    if (this.#recovery) this.#sentMeter.push(chunk);
    if (chunk.length === 0) return !this.#writer.isFull;
    if (this.#writer.isOpen) return this.#writer.write(chunk);
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    const { hasContent, ending } = this.#sentMeter;
    if (hasContent || ending === 'complete' || this.#heldBytes > MAX_HELD_BYTES) this.#open();
    return !this.#writer.isFull;
  }

  #noteContent(arrivedAtMs: number): void {
    const { context } = this.#answer;
    this.#timings.firstContentAtMs = this.#clock.nowMs();
    this.#timings.firstEventMs = this.#timings.firstContentAtMs - arrivedAtMs;
    context.onContent(this.#meter.messageId);
    context.watch.onContent(this.#usage());
  }

  #failureOf(end: UpstreamEnd): UpstreamFailure | null {
    if (this.#meter.ending === 'error') return failureOfStreamError(this.#meter.errorType);
    if (end.kind === 'failed') return failureOfCode(end.code);
    return end.kind === 'ended' && this.#meter.ending === 'open' ? failureOfStreamError(null) : null;
  }

  async #settle(end: UpstreamEnd): Promise<StreamOutcome> {
    const { request, context } = this.#answer;
    const recovered = this.#recovered;
    const isWhole = recovered?.isWhole || (end.kind === 'ended' && this.#sentMeter.ending !== 'open');
    const trailers = recovered ? { 'x-slipstream-spliced': String(recovered.spliced) } : undefined;
    if (isWhole) await this.#writer.end(trailers);
    const stopped = stoppedAs(context); // also by a reader that left or stalled before the last byte had
    if (stopped) return stopped;
    if (isWhole) return this.#sentMeter.ending === 'error' ? 'upstream_error' : 'complete';
    const lastWord = recovered?.heldError;
    if (lastWord) this.#writer.write(lastWord);
    else if (this.#sentMeter.atBoundary && this.#sentMeter.ending === 'open')
      this.#writer.write(errorFrame(whyUnfinished(end, context), request.id));
    await this.#writer.cut();
    return this.#meter.ending === 'error' ? 'upstream_error' : 'truncated';
  }

  async #answered(end: UpstreamEnd, failure: UpstreamFailure | null): Promise<Outcome> {
    const outcome = await this.#settle(end);
    // What failed before its first content is not billed.
    const told = failure && !this.#meter.hasContent ? null : this.#usage();
    return {
      kind: 'answered',
      status: this.#answer.head.status,
      isStream: true,
      end: outcome,
      usage: told,
      model: this.#meter.model,
      failure,
    };
  }
}

const CUT_SHORT = 'The stream ended before the message was complete.';

function whyUnfinished(end: UpstreamEnd, { signal }: Context) {
  if (signal.reason === 'draining') return { code: 'draining', detail: CUT_SHORT } as const;
  return { code: end.kind === 'failed' ? end.code : 'upstream_broken', detail: CUT_SHORT } as const;
}

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
