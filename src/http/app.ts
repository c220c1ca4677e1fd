import { Hono, type Context as HonoContext, type Handler } from 'hono';
import type { Operation } from '../core/exchange.ts';
import type { Pieces } from '../metrics/metrics.ts';
import { createConsole } from './console.ts';
import { createHandlers, type AppOptions } from './handlers.ts';
import { routeOwnedObjects } from './owned-objects.ts';
import { bringsToken } from './operator-token.ts';
import { renderRefusal } from './refusals.ts';

/** Every path the gateway answers, on one screen. What each does is in handlers.ts. */
export function createApp(options: AppOptions): Hono {
  const { forwardMessages, forwardUnread, refuse, newId } = createHandlers(options);
  const app = new Hono();

  app.on(['GET', 'HEAD'], ['/', '/api/hello'], (c) => own(c, 'slipstream\n')); // Claude Code warms its connection here
  app.get('/healthz', (c) => own(c, 'ok\n'));
  app.get('/readyz', (c) => ready(c));
  app.get('/metrics', async (c) => {
    if (options.metricsToken.digest() !== null && !bringsToken(c, options.metricsToken)) return locked(c);
    const page = await options.metricsPage(c.req.header('accept') ?? '');
    return c.body(sentInParts(page.parts), 200, { 'content-type': page.contentType, 'x-slipstream-id': newId() });
  });

  only(app, 'POST', '/v1/messages', (c) => forwardMessages(c, 'messages'));
  only(app, 'POST', '/v1/messages/count_tokens', (c) => forwardMessages(c, 'count_tokens'));
  only(app, 'GET', '/v1/models', (c) => forwardUnread(c, 'models'));
  // No encoded slash or dots: in managed mode a path must not lead out of the models at the upstream.
  only(app, 'GET', '/v1/models/:id{[A-Za-z0-9._:@-]+}', (c) => forwardUnread(c, 'models'));
  routeOwnedObjects(app, forwardUnread, forwardUnlessManaged, options.publicUrl); // /v1/messages/batches…, /v1/files…
  app.all('/v1/*', (c) => forwardOther(c));

  app.route('/console', createConsole(options));

  app.notFound((c) => refuse(c, { code: 'path_not_found', detail: `${c.req.method} ${c.req.path}` }));
  app.onError((error) => {
    const id = newId();
    options.onInternalError(error, id);
    return renderRefusal({ code: 'internal' }, id);
  });
  return app;

  /** Degraded is ready: it serves on its share of the limits. */
  function ready(c: HonoContext): Response {
    if (options.openExchanges.isDraining) return own(c, 'draining\n', 503);
    const health = options.health();
    return own(c, health.kind === 'ok' ? 'ready\n' : `ready; degraded: ${health.because}\n`);
  }

  function own(c: HonoContext, text: string, status: 200 | 503 = 200): Response {
    return c.text(text, status, { 'x-slipstream-id': newId() });
  }

  function locked(c: HonoContext): Response {
    const headers = { 'x-slipstream-id': newId(), 'www-authenticate': 'Bearer' };
    return c.text('Send Authorization: Bearer <metrics.token>.\n', 401, headers);
  }

  /** In managed mode nobody may reach admin endpoints or another tenant's objects through the operator's key. */
  function forwardOther(c: HonoContext): Response | Promise<Response> {
    if (options.mode() === 'pass-through') return forwardUnread(c, 'other' satisfies Operation);
    return refuse(c, { code: 'path_not_found', detail: `${c.req.method} ${c.req.path}` });
  }

  function forwardUnlessManaged(c: HonoContext, allow: string): Response | Promise<Response> {
    return options.mode() === 'pass-through' ? forwardUnread(c, 'other') : notAllowed(c, allow);
  }

  function only(routes: Hono, method: 'GET' | 'POST', path: string, handler: Handler): void {
    routes.on(method, path, handler);
    routes.all(path, (c) => notAllowed(c, method));
  }

  function notAllowed(c: HonoContext, allow: string): Response {
    return refuse(c, { code: 'method_not_allowed', detail: `Use ${allow}.`, allow });
  }
}

/** Each when the one before has left. */
function sentInParts(parts: Pieces): ReadableStream<Uint8Array> {
  const left = (async function* () {
    yield* parts;
  })();
  return new ReadableStream(
    {
      async pull(controller) {
        const next = await left.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
    },
    { highWaterMark: 0 },
  );
}
