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

function entry(status: number, type: string, retry: boolean, fault: ErrorEntry['fault'], message: string): ErrorEntry {
  return { status, type, retry, fault, message };
}

export const ERRORS = {
  bad_http: entry(400, 'invalid_request_error', false, 'caller', 'The HTTP request is malformed.'),
  body_not_utf8: entry(400, 'invalid_request_error', false, 'caller', 'The request body is not valid UTF-8.'),
  body_not_json: entry(400, 'invalid_request_error', false, 'caller', 'The request body is not valid JSON.'),
  body_not_object: entry(400, 'invalid_request_error', false, 'caller', 'The request body must be a JSON object.'),
  stream_not_boolean: entry(400, 'invalid_request_error', false, 'caller', 'stream: must be true or false.'),
  credential_missing: entry(
    401,
    'authentication_error',
    false,
    'caller',
    'No credential: send your key as x-api-key or as Authorization: Bearer.',
  ),
  credential_unknown: entry(401, 'authentication_error', false, 'caller', 'This key is not known to the gateway.'),
  budget_spent: entry(402, 'billing_error', false, 'caller', 'The budget of this tenant is spent.'),
  path_not_found: entry(404, 'not_found_error', false, 'caller', 'The gateway does not serve this path.'),
  batch_not_found: entry(404, 'not_found_error', false, 'caller', 'Message batch not found:'),
  file_not_found: entry(404, 'not_found_error', false, 'caller', 'File not found:'),
  method_not_allowed: entry(405, 'invalid_request_error', false, 'caller', 'This path does not take this method.'),
  request_stalled: entry(408, 'timeout_error', true, 'caller', 'The request did not arrive in time.'),
  body_too_large: entry(413, 'request_too_large', false, 'caller', 'The request body is too large.'),
  media_type_unsupported: entry(
    415,
    'invalid_request_error',
    false,
    'caller',
    'The body must be JSON: send content-type: application/json.',
  ),
  queue_full: entry(429, 'rate_limit_error', true, 'caller', 'All slots and queue places of this tenant are taken.'),
  queue_timeout: entry(429, 'rate_limit_error', true, 'caller', 'No slot of this tenant became free in time.'),
  upstream_busy: entry(429, 'rate_limit_error', true, 'upstream', 'No capacity of an upstream became free in time.'),
  headers_too_large: entry(431, 'invalid_request_error', false, 'caller', 'The request headers are too large.'),
  internal: entry(500, 'api_error', true, 'gateway', 'The gateway failed to handle this request.'),
  upstream_unreachable: entry(502, 'api_error', true, 'upstream', 'The upstream could not be reached.'),
  upstream_broken: entry(502, 'api_error', true, 'upstream', 'The upstream broke off.'),
  upstream_redirected: entry(
    502,
    'api_error',
    false,
    'upstream',
    'The upstream answered with a redirect, which is not followed.',
  ),
  upstream_credential_refused: entry(
    502,
    'api_error',
    false,
    'gateway',
    "The upstream refused the gateway's own credential; its operator has been told.",
  ),
  upstream_unavailable: entry(
    503,
    'overloaded_error',
    true,
    'upstream',
    'No upstream of this tenant is answering now.',
  ),
  ownership_unknown: entry(
    503,
    'overloaded_error',
    true,
    'gateway',
    'Whose this is cannot be looked up at the moment.',
  ),
  draining: entry(503, 'overloaded_error', true, 'gateway', 'This gateway is shutting down; ask again.'),
  upstream_timeout: entry(504, 'timeout_error', true, 'upstream', 'The upstream did not answer in time.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** A refusal on its way to the caller. `detail` is shown to the caller: never a key, a prompt or another tenant. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail?: string;
  /** Seconds until asking again can help, from the real estimate; sent as `retry-after`. */
  readonly retryAfterSeconds?: number;
  /** All has been tried that the gateway can: whatever the catalogue says, asking again is of no use now. */
  readonly isFinal?: boolean;
  /** For method_not_allowed: the methods the path takes. */
  readonly allow?: string;
}

export function entryOf(refusal: Refusal): ErrorEntry {
  return ERRORS[refusal.code];
}

export function messageOf(refusal: Refusal): string {
  return refusal.detail ? `${entryOf(refusal).message} ${refusal.detail}` : entryOf(refusal).message;
}
