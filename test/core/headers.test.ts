import { describe, expect, it } from 'vitest';
import {
  CREDENTIAL_HEADERS,
  forwardedRequestHeaders,
  forwardedResponseHeaders,
  headerValue,
  isRateLimitHeader,
} from '../../src/core/headers.ts';

/** RFC 9110 §7.6.1, and those that older proxies added. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

const RATE_LIMITS = [
  'anthropic-ratelimit-requests-limit',
  'anthropic-ratelimit-input-tokens-remaining',
  'anthropic-ratelimit-output-tokens-reset',
  'anthropic-ratelimit-unified-status',
  'anthropic-ratelimit-unified-5h-utilization',
  'anthropic-priority-input-tokens-limit',
  'anthropic-fast-output-tokens-remaining',
];

/** What tells a caller about its own request and must pass in every mode. */
const OWN_BUSINESS = ['request-id', 'retry-after', 'x-should-retry', 'anthropic-organization-id', 'content-type'];

const valued = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, 'x']));

describe('forwardedRequestHeaders', () => {
  it.each(HOP_BY_HOP)('keeps %s on its hop', (name) => {
    expect(forwardedRequestHeaders({ [name]: 'x', accept: '*/*' })).toEqual({ accept: '*/*' });
  });

  it.each(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-proto', 'x-real-ip', 'cf-connecting-ip'])(
    'keeps in the house what a balancer noted of the caller in %s',
    (name) => {
      expect(forwardedRequestHeaders({ [name]: '203.0.113.7', 'x-other': '1' })).toEqual({ 'x-other': '1' });
    },
  );

  it.each(['host', 'content-length', 'expect', 'accept-encoding'])('leaves %s to the next hop', (name) => {
    expect(forwardedRequestHeaders({ [name]: 'x' })).toEqual({});
  });

  it.each(['x-secret', 'keep-alive, X-Secret', 'X-SECRET ,close', ' x-secret'])(
    'drops what Connection names: %j',
    (connection) => {
      expect(forwardedRequestHeaders({ connection, 'x-secret': '1', 'x-kept': '2' })).toEqual({ 'x-kept': '2' });
    },
  );

  it('drops what several Connection lines name', () => {
    const headers = { connection: ['keep-alive', 'x-a, x-b'], 'x-a': '1', 'x-b': '2', 'x-c': '3' };
    expect(forwardedRequestHeaders(headers)).toEqual({ 'x-c': '3' });
  });

  it('passes everything else verbatim: versions, betas, sessions, traces, unknown ones', () => {
    const headers = {
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'context-management-2025-06-27,fast-mode-2026-02-01',
      'x-claude-code-session-id': 'b7c1',
      traceparent: '00-ab-cd-01',
      'user-agent': 'Anthropic/JS 1.12.0',
      'content-encoding': 'gzip',
      'x-stainless-retry-count': '0',
      'x-unheard-of': ' a, b ',
    };
    expect(forwardedRequestHeaders(headers)).toEqual(headers);
  });

  it('leaves credentials to whoever knows the mode', () => {
    expect(forwardedRequestHeaders(valued(CREDENTIAL_HEADERS))).toEqual({ 'x-api-key': 'x', authorization: 'x' });
  });

  it('joins repeated lines as RFC 9110 §5.3 allows', () => {
    expect(forwardedRequestHeaders({ 'x-a': ['1', '2'] })).toEqual({ 'x-a': '1, 2' });
  });
});

describe('forwardedResponseHeaders', () => {
  it.each([...HOP_BY_HOP, 'alt-svc'])('drops %s', (name) => {
    expect(forwardedResponseHeaders({ [name]: 'x' }, false)).toEqual({});
  });

  it('drops what Connection names', () => {
    expect(forwardedResponseHeaders({ connection: 'X-Hop', 'x-hop': '1' }, false)).toEqual({});
  });

  it('passes the rate limits of the caller’s own account', () => {
    expect(forwardedResponseHeaders(valued(RATE_LIMITS), false)).toEqual(valued(RATE_LIMITS));
  });

  it('hides the rate limits of a shared account, and nothing else', () => {
    expect(forwardedResponseHeaders(valued([...RATE_LIMITS, ...OWN_BUSINESS]), true)).toEqual(valued(OWN_BUSINESS));
  });

  it('keeps repeated lines apart: two cookies are not one', () => {
    expect(forwardedResponseHeaders({ 'set-cookie': ['a=1', 'b=2'] }, false)).toEqual({ 'set-cookie': ['a=1', 'b=2'] });
  });
});

describe('isRateLimitHeader', () => {
  it.each(RATE_LIMITS)('is true of %s', (name) => expect(isRateLimitHeader(name)).toBe(true));
  it.each(OWN_BUSINESS)('is false of %s', (name) => expect(isRateLimitHeader(name)).toBe(false));
});

describe('headerValue', () => {
  it('is the first of repeated lines, and undefined where there is none', () => {
    expect(headerValue({ a: ['1', '2'] }, 'a')).toBe('1');
    expect(headerValue({ a: '3' }, 'a')).toBe('3');
    expect(headerValue({ a: [] }, 'a')).toBeUndefined();
    expect(headerValue({}, 'a')).toBeUndefined();
  });
});
