import type { FailureKind } from '../core/attempt.ts';
import type { Clock } from '../core/clock.ts';
import type {
  AnswerWatch,
  ExchangeNotes,
  ExchangeTimings,
  GatewayRequest,
  Outcome,
  Reply,
  ResponseHead,
  StopReason,
} from '../core/exchange.ts';
import type { Tenant } from '../core/tenant.ts';
import type { RoutedUpstream } from './upstream.ts';

/**
 * A request is a value, each concern a function around the next one. A service's promise is pending for as long as the
 * exchange lasts, up to the last byte: a layer that holds something holds it in a plain try/finally.
 *
 * The order of the layers, outermost first, and why:
 *   metering    sees everything, also waits and refusals
 *   ownership   refuses what is another tenant's, and binds what is the tenant's own to where it is, before anything is
 *               taken or asked
 *   budget      refuses before a place in the queue is taken
 *   admission   the tenant's slot covers all that follows, until the last byte
 *   retry       outside routing, because asking again may mean asking somewhere else
 *   routing     chooses the credential, and with it the cache domain; knows who is broken
 *   cache       plans, waits, splices; inside routing, because a cache belongs to a domain
 *   capacity    the upstream's slot; inside the cache, because only a plan knows how many tokens are to come, and because
 *               who waits for another's prefix should not hold one
 *   upstream    one call; the relay pushes its answer into the reply
 */
export interface Context {
  readonly tenant: Tenant;
  readonly clock: Clock;
  readonly reply: Reply;
  /** Aborted when the exchange is over before its answer is; its `reason` is a StopReason. */
  readonly signal: AbortSignal;
  stop(reason: StopReason): void;
  /** Filled in on the way by whoever knows. */
  readonly timings: ExchangeTimings;
  /** Where this request must go, whatever else speaks for another place; absent where it may go to any of the tenant's. */
  readonly boundTo?: Bound;
  /**
   * What the caller is sent in the place of an object that the upstream has answered with (2xx, whole); absent where it is
   * sent as it comes.
   */
  readonly editAnswer?: (body: Uint8Array, from: RoutedUpstream) => Promise<Uint8Array>;
  /** Which upstream serves this request; null until routing has chosen. */
  readonly routed: RoutedUpstream | null;
  /** Which of the exchange's calls to an upstream this is. */
  readonly attempt: Attempt;
  /** Input tokens that this call is expected to be charged in full; null until the cache has planned. */
  readonly expectedInputTokens: number | null;
  /** The head of an answer has come: whoever holds the upstream's slot reads its rate limits. */
  readonly onHead: (head: ResponseHead) => void;
  /** An answer's content has begun: the upstream works. The id is the answer's, as the next request may name it. */
  readonly onContent: (messageId: string | null) => void;
  readonly watch: AnswerWatch;
  readonly notes: ExchangeNotes;
}

/** To this upstream, or to any that serves the tenant in the same workspace. */
export interface Bound {
  readonly to: 'upstream' | 'workspace';
  readonly upstreamId: string;
}

export interface Attempt {
  /** Upstreams that have failed this request: others are asked first. */
  readonly failedAt: ReadonlySet<string>;
  /** Why and where the call before this one failed; null on the first. */
  readonly retryOf: { readonly upstream: string; readonly reason: FailureKind } | null;
}

export const FIRST_ATTEMPT: Attempt = { failedAt: new Set(), retryOf: null };

export type Service = (request: GatewayRequest, context: Context) => Promise<Outcome>;

export type Layer = (inner: Service) => Service;

/** Wraps `service` so that the first layer is the outermost. */
export function stack(layers: readonly Layer[], service: Service): Service {
  return layers.reduceRight((inner, layer) => layer(inner), service);
}
