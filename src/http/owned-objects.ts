import type { Context as HonoContext, Hono } from 'hono';
import type { ObjectCall, ObjectKind } from '../core/owned-objects.ts';
import type { Handlers } from './handlers.ts';

/**
 * The calls for batches and files. What is allowed with them is the pipeline's to decide (with-ownership.ts); here a path
 * becomes what it asks for.
 */
interface Route {
  readonly of: ObjectKind;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly does: ObjectCall['does'];
}

/** No encoded slash or dots: with the operator's key a path must not lead out of what was routed. */
const ID = ':id{[A-Za-z0-9_-]+}';
const BATCHES = '/v1/messages/batches';
const FILES = '/v1/files';

const ROUTES: readonly Route[] = [
  { of: 'batches', method: 'POST', path: BATCHES, does: 'create' },
  { of: 'batches', method: 'GET', path: BATCHES, does: 'list' },
  { of: 'batches', method: 'GET', path: `${BATCHES}/${ID}`, does: 'read' },
  { of: 'batches', method: 'DELETE', path: `${BATCHES}/${ID}`, does: 'delete' },
  { of: 'batches', method: 'POST', path: `${BATCHES}/${ID}/cancel`, does: 'cancel' },
  { of: 'batches', method: 'GET', path: `${BATCHES}/${ID}/results`, does: 'download' },
  { of: 'files', method: 'POST', path: FILES, does: 'create' },
  { of: 'files', method: 'GET', path: FILES, does: 'list' },
  { of: 'files', method: 'GET', path: `${FILES}/${ID}`, does: 'read' },
  { of: 'files', method: 'DELETE', path: `${FILES}/${ID}`, does: 'delete' },
  { of: 'files', method: 'GET', path: `${FILES}/${ID}/content`, does: 'download' },
];

/** @param otherwise answers a method that the path does not take. @param publicUrl where the settings say we are. */
export function routeOwnedObjects(
  app: Hono,
  forward: Handlers['forwardUnread'],
  otherwise: (c: HonoContext, allow: string) => Response | Promise<Response>,
  publicUrl: () => string | null,
): void {
  for (const { method, path, of, does } of ROUTES) {
    app.on(method, path, (c) => forward(c, of, callOf(c, of, does, publicUrl() ?? gatewayUrlOf(c))));
  }
  for (const [path, routes] of Map.groupBy(ROUTES, (route) => route.path)) {
    const allow = routes.map(({ method }) => method).join(', ');
    app.all(path, (c) => otherwise(c, allow));
  }
}

function callOf(c: HonoContext, of: ObjectKind, does: ObjectCall['does'], gatewayUrl: string): ObjectCall {
  if (does === 'create' || does === 'list') return { of, gatewayUrl, does };
  return { of, gatewayUrl, does, id: c.req.param('id') ?? '' };
}

/** A host as a proxy may pass it on, with a port. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/**
 * The address that this caller has used, as the proxies in front tell it. Only what this caller is told depends on it, so
 * that whoever makes one up misleads nobody else.
 */
function gatewayUrlOf(c: HonoContext): string {
  const { protocol, host } = new URL(c.req.url);
  const outermost = (name: string): string => c.req.header(name)?.split(',')[0]?.trim() ?? '';
  const forwardedHost = outermost('x-forwarded-host');
  const scheme = outermost('x-forwarded-proto').toLowerCase();
  const isHttp = scheme === 'http' || scheme === 'https';
  return `${isHttp ? `${scheme}:` : protocol}//${HOST.test(forwardedHost) ? forwardedHost : host}`;
}
