import type { ErrorAnswer, FailureKind, UpstreamFailure } from '../attempt.ts';
import type { ErrorCode } from '../errors.ts';
import { headerValue } from '../headers.ts';
import { readRetryAfterMs } from './retry-after.ts';

/**
 * What an upstream's error means: the one place that looks at a status. `error.type` and `details.error_code` decide
 * (docs: errors, "messages may change"); wording is read only where nothing else tells. A body may be HTML, cut short,
 * huge or hostile: then the status alone decides.
 */

/**
 * @param credential whose key was sent: a limit, a spent budget or a refusal of the caller's own key is the caller's.
 * @returns null where the request itself was wrong, which says nothing of the upstream. With `x-should-retry: true` it
 *   cannot have been the request: then the upstream failed, whatever the status.
 */
export function failureOfAnswer(
  answer: ErrorAnswer,
  credential: 'own' | 'caller',
  wallMs: number,
): UpstreamFailure | null {
  const { headers, status } = answer;
  const shouldRetry = readShouldRetry(headerValue(headers, 'x-should-retry'));
  const retryAfterMs = readRetryAfterMs(headers, wallMs);
  const kind = kindOfAnswer(answer, credential, retryAfterMs !== null);
  if (shouldRetry === true && (kind === null || kind === 'credential_refused'))
    return { kind: 'server_error', retryAfterMs, shouldRetry };
  if (kind === null) return null;
  const failure = { kind, retryAfterMs, shouldRetry };
  if (credential === 'caller' && OF_AN_ACCOUNT.has(kind)) return { ...failure, reach: 'caller' };
  return kind === 'credential_refused' && status === 403 ? { ...failure, reach: 'perhaps_request' } : failure;
}

/** An `error` event inside a 200, or with null an end without one and without `message_stop`. */
export function failureOfStreamError(errorType: string | null): UpstreamFailure {
  return withoutHeaders(KIND_OF_STREAM_ERROR.get(errorType) ?? 'stream_error');
}

/** A call that got no answer, or not all of it. What is not about the upstream neither steers nor comes again. */
export function failureOfCode(code: ErrorCode): UpstreamFailure {
  if (code === 'upstream_unreachable' || code === 'upstream_broken') return withoutHeaders('network');
  if (code === 'upstream_timeout') return withoutHeaders('timeout');
  if (code === 'upstream_redirected') return { ...withoutHeaders('server_error'), shouldRetry: false };
  return { ...withoutHeaders('server_error'), shouldRetry: false, reach: 'caller' };
}

const KIND_OF_STREAM_ERROR: ReadonlyMap<string | null, FailureKind> = new Map([
  ['overloaded_error', 'overloaded'],
  ['rate_limit_error', 'rate_limited'],
]);

/** Limits are an organization's (docs: rate limits), so on the caller's own key they are the caller's. */
const OF_AN_ACCOUNT: ReadonlySet<FailureKind> = new Set([
  'rate_limited',
  'acceleration',
  'concurrent_connections',
  'spend_limit',
]);

function withoutHeaders(kind: FailureKind): UpstreamFailure {
  return { kind, retryAfterMs: null, shouldRetry: null };
}

function kindOfAnswer(answer: ErrorAnswer, credential: 'own' | 'caller', hasWait: boolean): FailureKind | null {
  const { status } = answer;
  if (status === 401 || status === 403) return credential === 'own' ? 'credential_refused' : null;
  if (status === 400) return kindOf400(readErrorBody(answer.body), credential);
  if (status === 402) return 'spend_limit';
  if (status === 408) return 'network'; // the request did not get there in time: it has run nowhere
  if (status === 429) return kindOf429(readErrorBody(answer.body), hasWait);
  if (status === 501 || status === 505) return null; // about the method and the protocol: any request can provoke them
  return status >= 500 ? kindOf5xx(status, readErrorBody(answer.body).type) : null;
}

/**
 * A 400 is the request's, but for three that are about the account (docs: rate limits, spend limits; errors). They have no
 * code or came before codes, so the message counts, and only how it begins: further on it may quote the request, and no
 * tenant may put words there that take a key out.
 */
function kindOf400({ code, message }: ErrorBody, credential: 'own' | 'caller'): FailureKind | null {
  if (/^(you have reached your (specified )?(workspace )?api usage|your credit balance is too low)/i.test(message))
    return 'spend_limit';
  const isOnHold = code === 'organization_on_hold' || /^this organization has been disabled/i.test(message);
  return isOnHold && credential === 'own' ? 'credential_refused' : null;
}

const SPENT = new Set(['enforced_spend_limit_reached', 'contract_spend_limit_reached']);

/**
 * A spent budget is told by its code (docs: rate limits). Without one it takes both: no `retry-after`, since only
 * a spent budget is documented to lack it, and the words, since plain 429s lack it now and then. The limit on connections
 * has no code (anthropic-sdk-python#496, cline#4351); the one on growth had none before `ramp_limit_exceeded`.
 */
function kindOf429({ code, message }: ErrorBody, hasWait: boolean): FailureKind {
  if (SPENT.has(code)) return 'spend_limit';
  if (code === 'ramp_limit_exceeded') return 'acceleration';
  if (/\bconcurrent connections\b/i.test(message)) return 'concurrent_connections';
  if (/\b(acceleration limit|usage increase rate)\b/i.test(message)) return 'acceleration';
  const isSpent = !hasWait && /\b(spend(ing)? (limit|cap)|api usage limits|credit balance)\b/i.test(message);
  return isSpent ? 'spend_limit' : 'rate_limited';
}

/** Other servers of the API say overloaded with a 503 (Ollama), so the type goes before the status. */
function kindOf5xx(status: number, type: string): FailureKind {
  if (status === 529 || type === 'overloaded_error') return 'overloaded';
  return 'server_error';
}

function readShouldRetry(value: string | undefined): boolean | null {
  return value === 'true' ? true : value === 'false' ? false : null;
}

interface ErrorBody {
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

/** The API's errors are well under a kilobyte. What is longer is no error of its own, and not worth the parsing. */
const MAX_BODY_BYTES = 64 * 1024;
const UNREADABLE: ErrorBody = { type: '', code: '', message: '' };

function readErrorBody(body: Uint8Array): ErrorBody {
  if (body.length > MAX_BODY_BYTES) return UNREADABLE;
  try {
    const error = fieldOf(JSON.parse(new TextDecoder().decode(body)), 'error');
    return {
      type: textOf(fieldOf(error, 'type')),
      code: textOf(fieldOf(fieldOf(error, 'details'), 'error_code')),
      message: textOf(fieldOf(error, 'message')),
    };
  } catch {
    return UNREADABLE;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
