import { Hono, type Context } from 'hono';
import { routePath } from 'hono/route';
import type { ConsoleSource } from '../console/console-source.ts';
import { refused } from './console-answers.ts';
import { createConsoleApi } from './console-api.ts';
import { createLiveFeed, type LivePace } from './console-live.ts';
import { servePage, type ConsoleAssets } from './console-page.ts';
import type { AppOptions } from './handlers.ts';
import type { OperatorToken } from './operator-token.ts';

/** The operator's console: its page and its API, all of it there or none. */
export interface ConsoleOptions {
  readonly source: ConsoleSource;
  readonly assets: ConsoleAssets;
  readonly pace: LivePace;
  /** Without one the whole of it is off. */
  readonly token: OperatorToken;
}

export type ConsoleEdge = Pick<AppOptions, 'clock' | 'console' | 'exchangeOf' | 'openExchanges' | 'onInternalError'>;

export function createConsole({ clock, console, exchangeOf, openExchanges, onInternalError }: ConsoleEdge): Hono {
  const { source, pace, token, assets } = console;
  const onError = (error: unknown): void => onInternalError(error, 'console');
  const feed = createLiveFeed({ clock, source, pace, draining: openExchanges.draining, onError });
  const routes = new Hono();
  routes.onError((error) => {
    onError(error);
    return refused(503, UNREADABLE, { 'retry-after': '5' });
  });
  routes.use('*', (_c, next) => (token.digest() === null ? Promise.resolve(refused(404, OFF)) : next()));
  routes.route('/api', createConsoleApi({ clock, source, token, live: (c) => feed.show(exchangeOf(c)) }));
  routes.all('/', (c) => servePage(c, INDEX, assets));
  routes.all('/*', (c) => servePage(c, nameOf(c) || INDEX, assets));
  return routes;
}

const INDEX = 'index.html';

/** All that stands for the `*`. As a parameter that takes slashes it would cost every route Hono's fast router. */
function nameOf(c: Context): string {
  return c.req.path.slice(routePath(c).length - 1);
}

/** The object that has the figures does not answer, or they have a bug: either way requests are not concerned. */
const UNREADABLE = 'The figures cannot be read at the moment; the log says why. Requests are served all the same.';
const OFF = 'The console is off: set console.token in the settings to switch it on.';
