import type { GatewayRequest, Outcome, ResponseHead } from '../../core/exchange.ts';
import { headerValue } from '../../core/headers.ts';
import { failureOfCode } from '../../core/failures/upstream-failure.ts';
import type { Answer, AnswerRelay, RelayOptions } from './answer-relay.ts';
import { createErrorRelay } from './relay-error.ts';
import { createMessageRelay } from './relay-message.ts';
import { createObjectRelay } from './relay-object.ts';
import { createPlainRelay } from './relay-plain.ts';
import { createStreamRelay } from './relay-stream.ts';
import { unsent } from './relay-endings.ts';
import { createReplyWriter, type ReplyWriter } from './reply-writer.ts';
import type { Context } from '../service.ts';
import type { AnswerReceiver, Flow, UpstreamEnd } from '../upstream.ts';

/**
 * The way of an answer from upstream to caller: every byte untouched, a meter reading along. What can still be mended is
 * not sent yet: an error, half a JSON message, a stream without content.
 * Invariant: the caller sees a proper end if and only if the upstream's answer was whole.
 */
export interface Relay extends AnswerReceiver {
  /** Of the answer's head; null until it has come. */
  readonly status: number | null;
  /** Call once when the upstream call is over; settles the caller's side and says what became of it. */
  finish(end: UpstreamEnd): Promise<Outcome>;
}

export function createRelay(request: GatewayRequest, context: Context, options: RelayOptions): Relay {
  return new AnyRelay(request, context, options);
}

class AnyRelay implements Relay {
  readonly #request: GatewayRequest;
  readonly #context: Context;
  readonly #options: RelayOptions;
  readonly #writer: ReplyWriter;
  #answer: AnswerRelay | null = null;
  status: number | null = null;
  #flow: Flow | null = null;

  constructor(request: GatewayRequest, context: Context, options: RelayOptions) {
    this.#request = request;
    this.#context = context;
    this.#options = options;
    this.#writer = createReplyWriter(request, context, options);
  }

  head(head: ResponseHead, flow: Flow): void {
    this.status = head.status;
    this.#context.onHead(head);
    this.#context.timings.upstreamHeadAtMs = this.#options.clock.nowMs();
    this.#flow = flow;
    const answer = { request: this.#request, context: this.#context, options: this.#options, head };
    this.#answer = answerRelay({ ...answer, writer: this.#writer });
  }

  chunk(chunk: Uint8Array): boolean {
    const wantsMore = this.#answer?.chunk(chunk) ?? true;
    if (!wantsMore) this.#writer.onDrain(() => this.#flow?.resume());
    return wantsMore;
  }

  async finish(end: UpstreamEnd): Promise<Outcome> {
    return this.#answer?.finish(end) ?? unsent(end, this.#context);
  }
}

function answerRelay(answer: Answer): AnswerRelay {
  const { head, request, context } = answer;
  if (isRedirect(head.status)) return REDIRECT;
  if (head.status >= 400) return createErrorRelay(answer);
  if (isEventStream(head)) return createStreamRelay(answer);
  if (head.status === 200 && request.operation === 'messages') return createMessageRelay(answer);
  const isReadable = head.headers['content-encoding'] === undefined;
  return context.editAnswer && isReadable ? createObjectRelay(answer, context.editAnswer) : createPlainRelay(answer);
}

/** To follow one would carry the key to wherever it points, and so would the caller. */
const REDIRECT: AnswerRelay = {
  chunk: () => true,
  finish: async () => ({
    kind: 'refused',
    refusal: { code: 'upstream_redirected' },
    failure: failureOfCode('upstream_redirected'),
  }),
};

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

/** Bytes in an encoding that nobody here can read pass as they are, so they are no stream to us. */
function isEventStream(head: ResponseHead): boolean {
  if (head.status !== 200 || head.headers['content-encoding'] !== undefined) return false;
  return (headerValue(head.headers, 'content-type') ?? '').startsWith('text/event-stream');
}
