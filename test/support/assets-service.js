/**
 * What a Worker's assets binding does in production, in front of a folder: a file by its exact path, with the type of its
 * name and an etag of its bytes; 404 for all else.
 */
const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

export default {
  async fetch(request, { FILES }) {
    const { pathname } = new URL(request.url);
    const type = TYPES[pathname.split('.').pop()];
    const file = type && (await FILES.fetch(`http://files${pathname}`));
    if (!file?.ok) return new Response(null, { status: 404 });
    const bytes = await file.arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return new Response(bytes, { headers: { 'content-type': type, etag: `"${digest.toHex()}"` } });
  },
};
