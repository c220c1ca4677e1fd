import type { AnswerReceiver, UpstreamEnd } from '../pipeline/upstream.ts';

/**
 * Port: how bytes get to an upstream and back on this runtime. It follows no redirect (a redirect would carry the key to
 * wherever it points), retries nothing, decodes what an upstream compressed unasked, and stops at the socket on abort.
 */
export interface Transport {
  /** Never rejects: what fails is in the end's code. */
  send(request: WireRequest, receiver: AnswerReceiver): Promise<UpstreamEnd>;
  /** Closes idle connections and lets running calls finish. */
  close(): Promise<void>;
}

export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  readonly signal: AbortSignal;
}
