import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resultOfFailure, type FailureKind } from '../../../src/core/attempt.ts';
import { failureOfAnswer, failureOfCode, failureOfStreamError } from '../../../src/core/failures/upstream-failure.ts';

const WALL_MS = Date.parse('2026-11-22T12:00:00Z');

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Said {
  readonly type?: string;
  readonly code?: string;
  readonly message?: string;
  readonly headers?: Record<string, string>;
  readonly credential?: 'own' | 'caller';
}

function failure(status: number, { type = '', code, message = '', headers = {}, credential = 'own' }: Said = {}) {
  const details = code === undefined ? {} : { details: { error_code: code } };
  const body = bytes(JSON.stringify({ type: 'error', error: { type, message, ...details }, request_id: 'req_1' }));
  return failureOfAnswer({ status, headers, body }, credential, WALL_MS);
}

const kindOf = (status: number, said?: Said): FailureKind | null => failure(status, said)?.kind ?? null;

const CONNECTIONS = 'Number of concurrent connections has exceeded your rate limit. Please try again later.';
const GROWTH = "This request would exceed your organization's maximum usage increase rate for input tokens per minute.";
const TIER_SPENT = 'You have reached your API usage limits: your organization has crossed its monthly threshold.';

describe('what a status means', () => {
  it.each([
    [402, 'spend_limit'],
    [408, 'network'],
    [429, 'rate_limited'],
    [500, 'server_error'],
    [502, 'server_error'],
    [503, 'server_error'],
    [504, 'server_error'],
    [520, 'server_error'],
    [529, 'overloaded'],
  ] as const)('%i is %s', (status, kind) => {
    expect(kindOf(status)).toBe(kind);
  });

  it.each([302, 400, 404, 405, 409, 413, 415, 422, 431, 501, 505])('%i says nothing of the upstream', (status) => {
    expect(failure(status)).toBeNull();
  });

  it.each([401, 403])("%i on the gateway's own key is about that key, on a caller's about the caller", (status) => {
    expect(kindOf(status)).toBe('credential_refused');
    expect(failure(status, { credential: 'caller' })).toBeNull();
  });

  it('a 403 is perhaps about this request alone, a 401 is not', () => {
    expect(failure(403)?.reach).toBe('perhaps_request');
    expect(failure(401)?.reach).toBeUndefined();
  });

  it('an overload is told by its type under another status, as Ollama sends it', () => {
    expect(kindOf(503, { type: 'overloaded_error' })).toBe('overloaded');
    expect(kindOf(500, { type: 'timeout_error' })).toBe('server_error');
  });
});

describe('a 429', () => {
  it.each([
    ['enforced_spend_limit_reached', 'spend_limit'],
    ['contract_spend_limit_reached', 'spend_limit'],
    ['ramp_limit_exceeded', 'acceleration'],
    ['something_new', 'rate_limited'],
  ] as const)('with the code %s is %s', (code, kind) => {
    expect(kindOf(429, { code })).toBe(kind);
  });

  it('is told by its code rather than by its words', () => {
    expect(kindOf(429, { code: 'ramp_limit_exceeded', message: CONNECTIONS })).toBe('acceleration');
  });

  it('about connections or growth is told by its words where there is no code', () => {
    expect(kindOf(429, { message: CONNECTIONS })).toBe('concurrent_connections');
    expect(kindOf(429, { message: GROWTH })).toBe('acceleration');
  });

  it('is about money only if the words say so and no wait is given', () => {
    expect(kindOf(429, { message: TIER_SPENT })).toBe('spend_limit');
    expect(kindOf(429, { message: TIER_SPENT, headers: { 'retry-after': '60' } })).toBe('rate_limited');
    expect(kindOf(429, { message: "This request would exceed your account's rate limit." })).toBe('rate_limited');
  });

  it("on a caller's own key reaches that caller only, and steers nothing", () => {
    const own = failure(429, { credential: 'caller', headers: { 'retry-after': '2' } });
    expect(own).toEqual({ kind: 'rate_limited', retryAfterMs: 2_000, shouldRetry: null, reach: 'caller' });
    expect(own && resultOfFailure(own)).toEqual({ kind: 'ignored' });
  });

  it("on the gateway's key steers, and so does an overload whosever the key", () => {
    for (const seen of [failure(429), failure(529, { credential: 'caller' })])
      expect(seen && resultOfFailure(seen)).toEqual({ kind: 'failed', failure: seen });
  });
});

describe('a 400', () => {
  it.each(['You have reached your specified API usage limits.', 'Your credit balance is too low to access the API.'])(
    'can say that money has run out: %s',
    (message) => {
      expect(kindOf(400, { message })).toBe('spend_limit');
    },
  );

  it('can say that the organization is on hold, which takes the key out', () => {
    expect(kindOf(400, { code: 'organization_on_hold' })).toBe('credential_refused');
    expect(kindOf(400, { message: 'This organization has been disabled.' })).toBe('credential_refused');
    expect(failure(400, { code: 'organization_on_hold', credential: 'caller' })).toBeNull();
  });

  it('that quotes a request with such words takes no key out', () => {
    expect(failure(400, { message: 'tools.0.name: "This organization has been disabled." is too long' })).toBeNull();
  });
});

describe('x-should-retry', () => {
  it.each([400, 401, 404])('true on a %i says that it was not the request', (status) => {
    const headers = { 'x-should-retry': 'true' };
    expect(failure(status, { headers })).toEqual({ kind: 'server_error', retryAfterMs: null, shouldRetry: true });
  });

  it('false is passed on', () => {
    expect(failure(529, { headers: { 'x-should-retry': 'false' } })?.shouldRetry).toBe(false);
  });
});

describe('the wait that is asked for', () => {
  const waitMs = (headers: Record<string, string>) => failure(529, { headers })?.retryAfterMs;

  it.each([
    ['2', 2_000],
    ['0.25', 250],
    [' 3600 ', 3_600_000],
    ['99999999999', 2 ** 31 - 1],
    ['9'.repeat(400), 2 ** 31 - 1],
    ['Sun, 22 Nov 2026 12:00:30 GMT', 30_000],
    ['Sunday, 22-Nov-26 12:00:30 GMT', 30_000],
    ['Sun Nov 22 12:00:30 2026', 30_000],
  ])('retry-after: %s is a wait', (value, expected) => {
    expect(waitMs({ 'retry-after': value })).toBe(expected);
  });

  it.each(['0', '-5', 'NaN', 'Infinity', '1e9', 'soon', '', '0x10', 'Sun, 22 Nov 2026 11:59:59 GMT', '1, 2'])(
    'retry-after: %j is none',
    (value) => {
      expect(waitMs({ 'retry-after': value })).toBeNull();
    },
  );

  it('goes by retry-after-ms first, if that can be read', () => {
    expect(waitMs({ 'retry-after-ms': '1500', 'retry-after': '60' })).toBe(1_500);
    expect(waitMs({ 'retry-after-ms': 'soon', 'retry-after': '60' })).toBe(60_000);
  });
});

describe('a body that is not what it should be', () => {
  it.each([
    '<html>502</html>',
    '',
    'null',
    '[]',
    '{"error":null}',
    '{"error":{"type":1,"details":"x","message":{}}}',
    '{"err',
  ])('leaves it to the status: %s', (text) => {
    expect(failureOfAnswer({ status: 429, headers: {}, body: bytes(text) }, 'own', WALL_MS)?.kind).toBe('rate_limited');
    expect(failureOfAnswer({ status: 400, headers: {}, body: bytes(text) }, 'own', WALL_MS)).toBeNull();
  });

  it('is not read where it is longer than any error of the API', () => {
    expect(kindOf(429, { message: CONNECTIONS.padEnd(100_000) })).toBe('rate_limited');
  });

  it('never throws', () => {
    const answer = fc.record({
      status: fc.integer({ min: 100, max: 999 }),
      headers: fc.dictionary(fc.constantFrom('retry-after', 'retry-after-ms', 'x-should-retry'), fc.string()),
      body: fc.oneof(
        fc.uint8Array(),
        fc.json().map(bytes),
        fc.json().map((error) => bytes(`{"error":${error}}`)),
      ),
    });
    fc.assert(
      fc.property(answer, fc.constantFrom('own' as const, 'caller' as const), (given, credential) => {
        const wait = failureOfAnswer(given, credential, WALL_MS)?.retryAfterMs ?? 1;
        expect(wait).toBeGreaterThan(0);
        expect(wait).toBeLessThan(2 ** 31);
      }),
    );
  });
});

describe('what comes without a status', () => {
  it.each([
    ['overloaded_error', 'overloaded'],
    ['rate_limit_error', 'rate_limited'],
    ['timeout_error', 'stream_error'],
    ['api_error', 'stream_error'],
    ['__proto__', 'stream_error'],
    [null, 'stream_error'],
  ] as const)('an error event %s in a stream is %s', (type, kind) => {
    expect(failureOfStreamError(type)).toEqual({ kind, retryAfterMs: null, shouldRetry: null });
  });

  it.each([
    ['upstream_unreachable', 'network'],
    ['upstream_broken', 'network'],
    ['upstream_timeout', 'timeout'],
  ] as const)('%s is %s', (code, kind) => {
    expect(failureOfCode(code)).toEqual({ kind, retryAfterMs: null, shouldRetry: null });
  });

  it('a redirect does not come right by asking again', () => {
    expect(failureOfCode('upstream_redirected')).toMatchObject({ kind: 'server_error', shouldRetry: false });
  });

  it('a fault of the gateway is not held against the upstream', () => {
    expect(resultOfFailure(failureOfCode('internal'))).toEqual({ kind: 'ignored' });
  });
});
