import type { Clock } from '../core/clock.ts';
import type { GatewayRequest } from '../core/exchange.ts';
import { CREDENTIAL_HEADERS, forwardedRequestHeaders, headerValue } from '../core/headers.ts';
import type { TenantLabels } from '../metrics/labels.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { attemptOutcome, endOutcome, retryReason, type AttemptOutcome } from './attempt-labels.ts';
import { callerSignal } from './relay/caller-signal.ts';
import type { RelayOptions } from './relay/answer-relay.ts';
import { createRelay } from './relay/relay.ts';
import type { Attempt, Context, Service } from './service.ts';
import type { AnswerReceiver, RoutedUpstream, UpstreamEnd } from './upstream.ts';
import { mayGoOn, type RetryOptions } from './with-retry.ts';

export interface CallUpstreamOptions extends Omit<RetryOptions, 'hasElsewhere'> {
  readonly metrics: Metrics;
  readonly tenantLabels: TenantLabels;
  readonly relayLimits: () => RelayLimits;
  /** Aborted when the process can wait no longer. */
  readonly stopped: AbortSignal;
}

export interface RelayLimits {
  /** A reader that takes nothing for this long is cut. */
  readonly streamIdleMs: number;
  /** For how long an answer is read on whose caller has left. */
  readonly hangUpDrainMs: number;
}

/** The innermost service: one call to one upstream, its answer relayed while it arrives. */
export function callUpstream(options: CallUpstreamOptions): Service {
  return async (request, context) => {
    if (!context.routed) throw new Error('a request that was not routed');
    const call = createCall(request, context, context.routed, options);
    const relay = createRelay(request, context, { ...relayOptions(context, context.routed, options), ...call.again });
    const note = call.open(context.attempt.retryOf);
    try {
      const end = await call.send(request, relay);
      const outcome = await relay.finish(end);
      note(attemptOutcome(outcome, relay.status), relay.status);
      return outcome;
    } finally {
      call.dispose();
    }
  };
}

/** The calls that one exchange makes at one upstream: the first, and those that go on with a stream that broke. */
function createCall(request: GatewayRequest, context: Context, routed: RoutedUpstream, options: CallUpstreamOptions) {
  const { clock, metrics } = options;
  const { upstream } = routed;
  const caller = callerSignal(context, clock, options.relayLimits().hangUpDrainMs, options.stopped);

  /** Takes the body out of its holder only here: what waits for the answer must not keep it. */
  const send = ({ body }: Pick<GatewayRequest, 'body'>, receiver: AnswerReceiver): Promise<UpstreamEnd> => {
    const { method, target } = request;
    const headers = headersFor(request, routed);
    return upstream.send({ method, target, headers, body, signal: caller.signal }, receiver);
  };

  /** Counts a call that is made now; what it returns notes how it went. */
  const open = (retryOf: Attempt['retryOf']) => {
    const sentAtMs = noteSent(request, context, clock);
    context.notes.calls++;
    context.notes.upstream = upstream.id;
    if (retryOf) {
      const reason = retryReason(retryOf.reason);
      metrics.count('slipstream_retries_total', { upstream: retryOf.upstream, reason });
    }
    return (outcome: AttemptOutcome, status: number | null): void => {
      metrics.count('slipstream_upstream_attempts_total', { upstream: upstream.id, outcome });
      const { attempts } = context.notes;
      attempts.push({ upstream: upstream.id, outcome, status, sentAtMs, endedAtMs: clock.nowMs() });
      attempts.sort((a, b) => a.sentAtMs - b.sentAtMs); // one that went on with another ended before it
    };
  };

  const callAgain: NonNullable<RelayOptions['callAgain']> = {
    mayCallAgain: (failure, calls) => mayGoOn(failure, calls, request, context, options),
    async callAgain(body, receiver, failure) {
      const note = open({ upstream: upstream.id, reason: failure.kind });
      let status: number | null = null;
      const noting: AnswerReceiver = {
        head(head, flow) {
          ({ status } = head);
          context.onHead(head);
          receiver.head(head, flow);
        },
        chunk: (chunk) => receiver.chunk(chunk),
      };
      const end = await send({ body }, noting);
      note(endOutcome(end, status), status);
      return end;
    },
  };
  return { open, send, again: { callAgain }, dispose: caller.dispose };
}

function relayOptions({ tenant }: Context, { credential }: RoutedUpstream, options: CallUpstreamOptions) {
  const label = options.tenantLabels.of(tenant.id);
  let closeStream = (): void => {};
  const onOpenStreams = (by: 1 | -1): void => {
    if (by === 1) closeStream = options.metrics.hold('slipstream_open_streams', { tenant: label });
    else closeStream();
  };
  return {
    clock: options.clock,
    credential,
    hideRateLimits: credential === 'own',
    streamIdleMs: () => options.relayLimits().streamIdleMs,
    onOpenStreams,
  };
}

/** All waiting is over. */
function noteSent({ receivedAtMs }: GatewayRequest, { timings, watch }: Context, clock: Clock): number {
  const nowMs = clock.nowMs();
  if (timings.firstSentAtMs === null) {
    timings.firstSentAtMs = nowMs;
    timings.overheadMs = nowMs - receivedAtMs - (timings.queueMs ?? 0) - timings.holdMs;
  }
  if (timings.firstContentAtMs !== null) return nowMs; // goes on with what has begun
  timings.upstreamSentAtMs = nowMs;
  timings.upstreamHeadAtMs = null;
  watch.onSend();
  return nowMs;
}

function headersFor(request: GatewayRequest, { credential }: RoutedUpstream): Record<string, string> {
  const headers = forwardedRequestHeaders(request.headers);
  if (credential === 'own') for (const name of CREDENTIAL_HEADERS) delete headers[name];
  const announced = headerValue(request.headers, 'content-length');
  const isPassedOn = request.body !== null && !(request.body instanceof Uint8Array);
  if (isPassedOn && announced !== undefined) headers['content-length'] = announced; // else it would go in chunks
  return headers;
}
