/**
 * Every refusal and failure of the gateway's own, in one catalogue: status, the Anthropic error type it is rendered as,
 * and whether asking again can help. What an upstream answered is not here: that is passed on as it came.
 *
 * None of the policy refusals is a 400: Claude Code answers a 400 with up to six more tries.
 */
export interface ErrorEntry {
  readonly status: number;
  /** `error.type` of the Anthropic error body. */
  readonly type: string;
  /** Sent as `x-should-retry`; SDKs obey it above all else. */
  readonly retry: boolean;
  readonly fault: 'caller' | 'gateway' | 'upstream';
  readonly message: string;
}
export declare const ERRORS: {
  readonly bad_http: ErrorEntry;
  readonly body_not_utf8: ErrorEntry;
  readonly body_not_json: ErrorEntry;
  readonly body_not_object: ErrorEntry;
  readonly stream_not_boolean: ErrorEntry;
  readonly credential_missing: ErrorEntry;
  readonly credential_unknown: ErrorEntry;
  readonly budget_spent: ErrorEntry;
  readonly path_not_found: ErrorEntry;
  readonly method_not_allowed: ErrorEntry;
  readonly request_stalled: ErrorEntry;
  readonly body_too_large: ErrorEntry;
  readonly media_type_unsupported: ErrorEntry;
  readonly queue_full: ErrorEntry;
  readonly queue_timeout: ErrorEntry;
  readonly headers_too_large: ErrorEntry;
  readonly internal: ErrorEntry;
  readonly upstream_unreachable: ErrorEntry;
  readonly upstream_broken: ErrorEntry;
  readonly upstream_redirected: ErrorEntry;
  readonly draining: ErrorEntry;
  readonly upstream_timeout: ErrorEntry;
};
export type ErrorCode = keyof typeof ERRORS;
/** A refusal on its way to the caller. `detail` is shown to the caller: never a key, a prompt or another tenant. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail?: string;
  /** Seconds until asking again can help, from the real estimate; sent as `retry-after`. */
  readonly retryAfterSeconds?: number;
  /** For method_not_allowed: the methods the path takes. */
  readonly allow?: string;
}
export declare function entryOf(refusal: Refusal): ErrorEntry;
export declare function messageOf(refusal: Refusal): string;
