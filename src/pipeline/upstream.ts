import type { ErrorCode } from '../core/errors.ts';
import type { ResponseHead } from '../core/exchange.ts';

/** Port: one upstream credential. The answer is pushed into a receiver while it arrives; foreign errors end here. */
export interface Upstream {
  readonly id: string;
  /** Resolves when the answer has ended, however it ended. Never rejects. */
  send(call: UpstreamCall, receiver: AnswerReceiver): Promise<UpstreamEnd>;
}

/** An upstream as routing found it for one request. */
export interface RoutedUpstream {
  readonly upstream: Upstream;
  /** `caller`: the caller's own credential goes upstream; `own`: it never leaves the gateway. */
  readonly credential: 'own' | 'caller';
  /** Upstreams of one domain (a Claude workspace) share a prompt cache. */
  readonly cacheDomain: string;
  /** Whether it takes Claude Code's attribution block out of the prompt before it caches. */
  readonly stripsAttribution: boolean;
}

export interface UpstreamCall {
  readonly method: string;
  /** Path and query, from `/v1/` on. */
  readonly target: string;
  /** What is forwarded of the caller's headers; the credential among them where the caller's own is used. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** Aborting ends the call at the socket, before or after the head. */
  readonly signal: AbortSignal;
}

export interface AnswerReceiver {
  head(head: ResponseHead, flow: Flow): void;
  /** False pauses the upstream until `flow.resume()`: this is how a slow reader's back-pressure gets there. */
  chunk(chunk: Uint8Array): boolean;
}

export interface Flow {
  resume(): void;
}

export type UpstreamEnd =
  { readonly kind: 'ended' } | { readonly kind: 'aborted' } | { readonly kind: 'failed'; readonly code: ErrorCode };
