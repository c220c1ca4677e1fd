import type { UpstreamFailure } from '../../core/attempt.ts';
import { createStreamMeter } from '../../core/stream-meter.ts';
import { failureOfAnswer, failureOfCode, failureOfStreamError } from '../../core/failures/upstream-failure.ts';
import { NO_USAGE, sumUsage, type TokenUsage } from '../../core/usage.ts';
import type { Recoverability } from '../../ingress/recovery/answer-record.ts';
import { createAnswerRecorder } from '../../ingress/recovery/answer-recorder.ts';
import { planContinuation } from '../../ingress/recovery/continuation.ts';
import { createStreamSplicer, type StreamSplicer } from '../../ingress/recovery/stream-splicer.ts';
import type { AnswerReceiver, UpstreamEnd } from '../upstream.ts';

/**
 * Goes on with a stream that broke after content, where a tenant asked for it and Anthropic's guidance says it can be done:
 * another call at the same upstream, in the same slot, its stream joined to what the caller has. Every such call is
 * a retry and is taken from the same budget. What cannot be joined ends as it would have ended anyway.
 */
export interface StreamRecovery {
  /** What may be sent now of the first call's stream: whole events, and no `error`. */
  push(chunk: Uint8Array): Uint8Array;
  /** The first call is over and its stream is not whole. */
  goOn(failure: UpstreamFailure): Promise<Recovered>;
}

export interface Recovered {
  readonly isWhole: boolean;
  /** Streams that were joined to the first. */
  readonly spliced: number;
  /** Of the calls that were made. */
  readonly usage: TokenUsage;
  /** The upstream's last word, for when nothing more is joined. */
  readonly heldError: Uint8Array | null;
}

export interface StreamRecoveryOptions {
  readonly body: Uint8Array;
  readonly model: string | null;
  readonly credential: 'own' | 'caller';
  readonly wallMs: () => number;
  /** Waits for its turn; false: it must not be made. */
  readonly mayCallAgain: (failure: UpstreamFailure, calls: number) => Promise<boolean>;
  readonly callAgain: (body: Uint8Array, receiver: AnswerReceiver, failure: UpstreamFailure) => Promise<UpstreamEnd>;
  readonly pass: (chunk: Uint8Array) => boolean;
  /** Runs once when there is room again. */
  readonly onDrain: (run: () => void) => void;
}

const MAX_CONTINUATIONS = 2;
const encoder = new TextEncoder();

export function createStreamRecovery(options: StreamRecoveryOptions): StreamRecovery {
  const recorder = createAnswerRecorder();
  return {
    push: (chunk) => recorder.push(chunk),
    async goOn(firstFailure) {
      let source: Pick<StreamSplicer, 'recoverable' | 'heldError'> = recorder;
      let failure: UpstreamFailure | null = firstFailure;
      let usage = NO_USAGE;
      let spliced = 0;
      for (let calls = 0; calls < MAX_CONTINUATIONS && failure; calls++) {
        const joined = await joinNext(source.recoverable(), failure, calls, options);
        if (!joined) break;
        usage = sumUsage(usage, joined.usage);
        if (joined.hasBegun) spliced++;
        if (joined.splicer.ending === 'complete') return { isWhole: true, spliced, usage, heldError: null };
        if (joined.splicer.ending === 'impossible') return { isWhole: false, spliced, usage, heldError: null };
        if (joined.hasBegun) source = joined.splicer;
        ({ failure } = joined);
      }
      return { isWhole: false, spliced, usage, heldError: source.heldError() };
    },
  };
}

interface Joined {
  readonly splicer: StreamSplicer;
  /** A stream came; else what is to be gone on with is what it was. */
  readonly hasBegun: boolean;
  readonly usage: TokenUsage;
  readonly failure: UpstreamFailure | null;
}

async function joinNext(
  found: Recoverability,
  failure: UpstreamFailure,
  calls: number,
  options: StreamRecoveryOptions,
): Promise<Joined | null> {
  if (found.kind === 'no') return null;
  const plan = planContinuation(options.body, options.model, found.partial);
  if (plan.kind === 'no' || !(await options.mayCallAgain(failure, calls))) return null;
  const splicer = createStreamSplicer(found.partial, plan.untold);
  const meter = createStreamMeter();
  let status = 0;
  let answerFailure: UpstreamFailure | null = null;
  let resume = (): void => {};
  const receiver: AnswerReceiver = {
    head(head, flow) {
      ({ status } = head);
      resume = () => flow.resume();
      const answer = { status, headers: head.headers, body: new Uint8Array() };
      answerFailure = failureOfAnswer(answer, options.credential, options.wallMs());
      if (status === 200) options.pass(encoder.encode(`: x-slipstream-spliced ${calls + 1}\n\n`));
    },
    chunk(chunk) {
      if (status !== 200) return true;
      meter.push(chunk);
      const wantsMore = options.pass(splicer.push(chunk));
      if (!wantsMore) options.onDrain(resume);
      return wantsMore;
    },
  };
  const end = await options.callAgain(plan.body, receiver, failure);
  const usage = meter.hasContent || meter.ending === 'complete' ? meter.usage : NO_USAGE;
  return { splicer, hasBegun: meter.model !== null, usage, failure: failureOf(end, splicer, meter.errorType) };

  function failureOf(ended: UpstreamEnd, { ending }: StreamSplicer, errorType: string | null): UpstreamFailure | null {
    if (ended.kind === 'aborted' || ending === 'complete') return null;
    if (status !== 200 && status !== 0) return answerFailure;
    return ended.kind === 'failed' && ending === 'open' ? failureOfCode(ended.code) : failureOfStreamError(errorType);
  }
}
