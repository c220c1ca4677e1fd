import type { Context as HonoContext } from 'hono';
import { refused } from './console-answers.ts';

/**
 * The files of the console's page. They hold no figure and need no token. The page may load what comes from here and
 * nothing else, and nobody may frame it.
 */
export interface ConsoleAsset {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** Of these bytes, in quotes as HTTP has it. */
  readonly etag: string;
}

/** Port: the files that were built, by name; null for every other name. */
export type ConsoleAssets = (name: string) => Promise<ConsoleAsset | null>;

export const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache', // asked for again each time, sent again only when it has changed
};

export async function servePage(c: HonoContext, name: string, assets: ConsoleAssets): Promise<Response> {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return refused(405, 'Use GET.', { allow: 'GET' });
  const asset = await assets(name);
  if (!asset) return refused(404, 'The page is at /console, its figures under /console/api.');
  const { bytes, contentType, etag } = asset;
  const headers = { ...PAGE_HEADERS, etag };
  if (c.req.header('if-none-match') === etag) return new Response(null, { status: 304, headers });
  return new Response(bytes as BodyInit, { headers: { ...headers, 'content-type': contentType } });
}
