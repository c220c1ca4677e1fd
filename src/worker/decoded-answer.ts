import type { HeaderMap } from '../core/headers.ts';

/** Some upstreams compress although they were asked not to. Whatever stands behind this sees plain bytes. */
export interface DecodedAnswer {
  readonly headers: HeaderMap;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** What the runtime has decoded by the time it is read, although the header still names it. */
const BY_THE_RUNTIME = new Set(['gzip', 'br']);
const BY_US: ReadonlyMap<string, 'gzip' | 'deflate'> = new Map([
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
]);

/** An encoding that nobody here can read (zstd) passes as it is, with its header. */
export function decodedAnswer({ headers, body }: Response): DecodedAnswer {
  const map: Record<string, string | string[]> = Object.fromEntries(headers);
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) map['set-cookie'] = cookies;
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? '';
  const format = BY_US.get(encoding);
  if (!format && !BY_THE_RUNTIME.has(encoding)) return { headers: map, body };
  const { 'content-encoding': _encoding, 'content-length': _length, ...plain } = map;
  return { headers: plain, body: format && body ? body.pipeThrough(new DecompressionStream(format)) : body };
}
