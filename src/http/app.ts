import { Hono, type Context as HonoContext, type Handler } from 'hono';
import type { Refusal } from '../core/errors.ts';
import type { Operation } from '../core/exchange.ts';
import { createHandlers, type AppOptions } from './handlers.ts';
import { renderRefusal } from './refusals.ts';

/** Every path the gateway answers, on one screen. What each does is in handlers.ts. */
export function createApp(options: AppOptions): Hono {
  const { forwardMessages, forwardUnread, refuse, newId } = createHandlers(options);
  const app = new Hono();

  app.on(['GET', 'HEAD'], ['/', '/api/hello'], (c) => c.text('slipstream\n')); // Claude Code warms its connection here
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', (c) => (options.isDraining() ? c.text('draining\n', 503) : c.text('ready\n')));
  app.get('/metrics', async (c) => {
    const page = await options.metricsPage(c.req.header('accept') ?? '');
    return c.body(page.text, 200, { 'content-type': page.contentType });
  });

  only(app, 'POST', '/v1/messages', (c) => forwardMessages(c, 'messages'));
  only(app, 'POST', '/v1/messages/count_tokens', (c) => forwardMessages(c, 'count_tokens'));
  only(app, 'GET', '/v1/models', (c) => forwardUnread(c, 'models'));
  only(app, 'GET', '/v1/models/:id', (c) => forwardUnread(c, 'models'));
  app.all('/v1/*', (c) => forwardOther(c));

  app.notFound((c) => refuse(c, { code: 'path_not_found', detail: `${c.req.method} ${c.req.path}` }));
  app.onError((error) => {
    const id = newId();
    options.onInternalError(error, id);
    return renderRefusal({ code: 'internal' }, id);
  });
  return app;

  /** In managed mode nobody may reach admin endpoints or another tenant's objects through the operator's key. */
  function forwardOther(c: HonoContext): Response | Promise<Response> {
    if (options.mode() === 'pass-through') return forwardUnread(c, 'other' satisfies Operation);
    return refuse(c, { code: 'path_not_found', detail: `${c.req.method} ${c.req.path}` });
  }

  function only(routes: Hono, method: 'GET' | 'POST', path: string, handler: Handler): void {
    routes.on(method, path, handler);
    routes.all(path, (c) => {
      const refusal: Refusal = { code: 'method_not_allowed', detail: `Use ${method}.`, allow: method };
      return refuse(c, refusal);
    });
  }
}
