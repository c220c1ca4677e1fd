import type { Context as HonoContext } from 'hono';
import type { Outcome, Reply, StopReason } from '../core/exchange.ts';
import type { HeaderMap } from '../core/headers.ts';

/**
 * Port: one HTTP request on whatever runtime it came in. The Node adapter reads and writes the sockets' own streams; the
 * Fetch adapter beside this file works anywhere a Request becomes a Response.
 */
export interface HttpExchange {
  readonly method: string;
  /** Path and query as the caller wrote them. */
  readonly target: string;
  /** Lower-case names; repeated lines joined as RFC 9110 §5.3 allows. */
  readonly headers: HeaderMap;
  /** Aborted when the exchange is over before its answer is; `reason` says why. `caller_gone`: by FIN or by RST. */
  readonly signal: AbortSignal;
  /** The first reason counts. */
  stop(reason: StopReason): void;
  readBody(limits: BodyLimits): Promise<BodyResult>;
  /** The body as it arrives, for requests that are forwarded unread; null where there is none. */
  bodyStream(): AsyncIterable<Uint8Array> | null;
  /**
   * Runs an exchange. Once it opens the reply, `sent` is what Hono must return, while the exchange goes on; if it ends
   * without, nothing has been sent and the outcome is the caller's to render. What `run` throws before it opens the reply
   * is thrown here; what it throws later nobody hears, so that it has to end the reply itself.
   */
  respond(run: (reply: Reply) => Promise<Outcome>): Promise<Responded>;
}

export type Responded =
  { readonly kind: 'sent'; readonly response: Response } | { readonly kind: 'unsent'; readonly outcome: Outcome };

export interface BodyLimits {
  readonly maxBytes: number;
  /** A body that stands still for this long is given up. */
  readonly stallMs: number;
}

export type BodyResult =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'stalled' }
  | { readonly kind: 'gone' };

export type ExchangeOf = (context: HonoContext) => HttpExchange;
