import type { Clock } from '../core/clock.ts';
import type { AnswerWatch, ExchangeNotes, ExchangeTimings, GatewayRequest, Outcome, Reply } from '../core/exchange.ts';
import type { Tenant } from '../core/tenant.ts';
import type { RoutedUpstream } from './upstream.ts';

/**
 * A request is a value, each concern a function around the next one. A service's promise is pending for as long as the
 * exchange lasts, up to the last byte: a layer that holds something holds it in a plain try/finally.
 *
 * The order of the layers, outermost first, and why:
 *   metering    sees everything, also waits and refusals
 *   budget      refuses before a place in the queue is taken
 *   admission   the slot covers all that follows, until the last byte
 *   routing     chooses the credential, and with it the cache domain
 *   cache       plans, waits, splices; inside routing, because a cache belongs to a domain
 *   upstream    one call; the relay pushes its answer into the reply
 */
export interface Context {
  readonly tenant: Tenant;
  readonly clock: Clock;
  readonly reply: Reply;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
  /** Filled in on the way by whoever knows. */
  readonly timings: ExchangeTimings;
  /** Which upstream serves this request; null until routing has chosen. */
  readonly routed: RoutedUpstream | null;
  readonly watch: AnswerWatch;
  readonly notes: ExchangeNotes;
}

export type Service = (request: GatewayRequest, context: Context) => Promise<Outcome>;

export type Layer = (inner: Service) => Service;

/** Wraps `service` so that the first layer is the outermost. */
export function stack(layers: readonly Layer[], service: Service): Service {
  return layers.reduceRight((inner, layer) => layer(inner), service);
}
