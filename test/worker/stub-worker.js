import { DurableObject } from 'cloudflare:workers';

/** The smallest worker that shows what the runtime under the tests does: a counter for all isolates, and a proxied stream. */
export class Counter extends DurableObject {
  count = 0;
  next() {
    return ++this.count;
  }
}

let servedHere = 0;

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    servedHere += 1;
    if (pathname === '/count') {
      const count = await env.COUNTER.get(env.COUNTER.idFromName('one')).next();
      return Response.json({ count, servedHere, greeting: env.GREETING });
    }
    if (pathname === '/away')
      return fetch('http://1.1.1.1/').catch((error) => new Response(String(error), { status: 502 }));
    return fetch(env.UPSTREAM, { signal: request.signal });
  },
};
