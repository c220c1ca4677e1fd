/**
 * Readers of names, addresses and credentials. Credentials must be able to travel in an HTTP header: a key with the
 * line break of a secrets file at its end would make every request fail, far from its cause.
 */
import { read, unreadable, type Reader } from './reading.ts';

/** What a caller must send, or already its digest. */
export type GatewayKey =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'digest'; readonly hex: string };

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const HEADER_SAFE = /^[\x21-\x7e]+$/;
const DIGEST_PREFIX = 'sha256:';

/** Ids become metric labels and log fields, hence the narrow alphabet. */
export const readName: Reader<string> = (value) => {
  if (typeof value === 'string' && NAME.test(value)) return read(value);
  const fault = typeof value === 'string' ? 'is not a name' : 'is not text';
  return unreadable(fault, 'write 1 to 64 letters, digits, dots, dashes or underscores, in quotes if only digits');
};

export const readHost: Reader<string> = (value) => {
  if (typeof value !== 'string') return unreadable('is not text', 'write an address such as 127.0.0.1 or "::1"');
  if (value.includes('/')) return unreadable('is a URL or a path', 'write the host alone: 127.0.0.1');
  if (/^\[|^[^:]+:\d+$/.test(value)) {
    return unreadable('has brackets or a port in it', 'write the host alone, and the port under listen.port');
  }
  if (!/^[A-Za-z0-9._:%-]+$/.test(value)) return unreadable('is not a host', 'write an address such as 127.0.0.1');
  return read(value);
};

/** Gives the URL without a slash at its end. */
export const readBaseUrl: Reader<string> = (value) => {
  const mend = 'write the address before /v1, such as https://api.anthropic.com';
  if (typeof value !== 'string' || !URL.canParse(value)) return unreadable('is not a URL', mend);
  const url = new URL(value);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return unreadable('is neither http nor https', mend);
  if (url.username !== '' || url.password !== '') {
    return unreadable('has a credential in it', 'remove it from the URL and set apiKey instead');
  }
  if (url.search !== '' || url.hash !== '') return unreadable('has a query or a fragment', mend);
  const path = url.pathname.replace(/\/+$/, '');
  if (/\/v1(\/messages)?$/.test(path)) {
    return unreadable('ends in /v1, which the gateway appends itself', 'remove /v1 and what follows it');
  }
  return read(url.origin + path);
};

export const readSecret: Reader<string> = (value) => {
  if (typeof value !== 'string') return unreadable('is not text', 'put it in quotes, or write ${NAME}');
  if (value === '') return unreadable('is empty', 'give it a value (is the environment variable set to nothing?)');
  if (HEADER_SAFE.test(value)) return read(value);
  return unreadable(
    'holds a space, a line break or another sign that no HTTP header carries as it is',
    'remove it; secrets files often end in a line break',
  );
};

export const readGatewayKey: Reader<GatewayKey> = (value) => {
  const reading = readSecret(value);
  if (reading.kind === 'unreadable') return reading;
  if (!reading.value.startsWith(DIGEST_PREFIX)) return read({ kind: 'text', text: reading.value });
  const hex = reading.value.slice(DIGEST_PREFIX.length).toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return read({ kind: 'digest', hex });
  return unreadable('starts with sha256: but is not a digest', 'write sha256: and the 64 hex digits of the digest');
};
