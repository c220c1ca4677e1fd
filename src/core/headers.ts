/**
 * Which headers cross the gateway. Names are lower-case everywhere. What concerns one hop only stays on its hop
 * (RFC 9110 §7.6.1); everything else, known or not, passes verbatim in both directions: betas, versions, session ids.
 */
export type HeaderMap = Readonly<Record<string, string | readonly string[]>>;

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What callers say to the gateway, not to the upstream. */
const OWN_PREFIX = 'x-slipstream-';

/** Set anew for the upstream hop, or of no use there. */
const REQUEST_OWN = new Set(['host', 'content-length', 'expect', 'accept-encoding']);

/** What balancers in front of the gateway note of the caller: whose address that is stays in the house. */
const CALLER_ADDRESS = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
]);
const CALLER_ADDRESS_PREFIX = 'x-forwarded-';

/** `alt-svc` would send the client past the gateway. */
const RESPONSE_OWN = new Set(['alt-svc']);

export const CREDENTIAL_HEADERS: readonly string[] = ['x-api-key', 'authorization'];

/**
 * The caller's headers as the upstream sees them. `accept-encoding` is dropped on purpose: the answer is read along for
 * usage and filled with pings in silence, neither of which works on compressed bytes.
 */
export function forwardedRequestHeaders(headers: HeaderMap): Record<string, string> {
  const named = namedByConnection(headers['connection']);
  const forwarded: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (HOP_BY_HOP.has(name) || REQUEST_OWN.has(name) || named.has(name) || name.startsWith(OWN_PREFIX)) continue;
    if (CALLER_ADDRESS.has(name) || name.startsWith(CALLER_ADDRESS_PREFIX)) continue;
    forwarded[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return forwarded;
}

/** @param hideRateLimits in managed mode those headers describe the shared quota, which is nobody's business. */
export function forwardedResponseHeaders(
  headers: HeaderMap,
  hideRateLimits: boolean,
): Record<string, string | string[]> {
  const named = namedByConnection(headers['connection']);
  const forwarded: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (HOP_BY_HOP.has(name) || RESPONSE_OWN.has(name) || named.has(name)) continue;
    if (hideRateLimits && isRateLimitHeader(name)) continue;
    forwarded[name] = typeof value === 'string' ? value : [...value];
  }
  return forwarded;
}

export function isRateLimitHeader(name: string): boolean {
  return (
    name.startsWith('anthropic-ratelimit-') ||
    name.startsWith('anthropic-priority-') ||
    name.startsWith('anthropic-fast-')
  );
}

/** What a body must be unpacked from to be read, in lower case; null where it can be read as it is. */
export function contentEncoding(headers: HeaderMap): string | null {
  const encoding = headerValue(headers, 'content-encoding')?.trim().toLowerCase() ?? '';
  return encoding === '' || encoding === 'identity' ? null : encoding;
}

/** The one value of a header, where repeated lines were joined by the HTTP layer. */
export function headerValue(headers: HeaderMap, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

const NONE: ReadonlySet<string> = new Set();

function namedByConnection(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE;
  const text = typeof connection === 'string' ? connection : connection.join(',');
  return new Set(text.split(',').map((name) => name.trim().toLowerCase()));
}
