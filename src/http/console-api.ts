import { Hono, type Context as HonoContext } from 'hono';
import type { Clock } from '../core/clock.ts';
import type { ConsoleSource } from '../console/console-source.ts';
import { readRequestQuery, readSavingsQuery } from './console-queries.ts';
import { json, refused } from './console-answers.ts';
import { bringsToken, type OperatorToken } from './operator-token.ts';

/** The console's figures as JSON, behind its token. What each is and means is in console/contract.ts. */
export interface ConsoleApiOptions {
  readonly clock: Clock;
  readonly source: ConsoleSource;
  readonly token: OperatorToken;
  readonly live: (c: HonoContext) => Promise<Response>;
}

type Answer = (c: HonoContext) => Promise<Response>;

export function createConsoleApi({ clock, source, token, live }: ConsoleApiOptions): Hono {
  const routes: Readonly<Record<string, Answer>> = {
    '/live': (c) => (c.req.method === 'GET' ? live(c) : Promise.resolve(methodNotAllowed())), // a HEAD has no end here
    '/requests': async (c) => {
      const query = readRequestQuery(c.req.query());
      if (query.kind === 'bad') return refused(400, query.error);
      const requests = await source.requests(query.value);
      return requests ? json({ requests }) : refused(400, 'before names a request that is not remembered any more.');
    },
    '/requests/:id': async (c) => {
      const story = await source.request(c.req.param('id') ?? '');
      return story ? json(story) : refused(404, 'It is not among the newest 1,000 requests of this gateway.');
    },
    '/prefixes': async () => json(await source.prefixes()),
    '/volatile-prefixes': async () => json({ volatilePrefixes: await source.volatilePrefixes() }),
    '/savings': async (c) => {
      const by = readSavingsQuery(c.req.query());
      return by.kind === 'bad' ? refused(400, by.error) : json(await source.savings(by.value));
    },
    '/savings.csv': async () => csv(await source.savingsCsv(), clock.wallMs()),
  };
  const api = new Hono();
  api.use(async (c, next) => {
    if (bringsToken(c, token)) return next();
    return refused(401, 'Send Authorization: Bearer <console.token>.', { 'www-authenticate': 'Bearer' });
  });
  for (const [path, answer] of Object.entries(routes)) {
    api.get(path, answer);
    api.all(path, methodNotAllowed);
  }
  const paths = Object.keys(routes).map((path) => `/console/api${path}`);
  api.all('*', () => refused(404, `There is nothing here; there is: ${paths.join(', ')}.`));
  return api;
}

function methodNotAllowed(): Response {
  return refused(405, 'Use GET.', { allow: 'GET' });
}

function csv(text: string, atMs: number): Response {
  const day = new Date(atMs).toISOString().slice(0, 10);
  return new Response(text, {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="slipstream-savings-${day}.csv"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  });
}
