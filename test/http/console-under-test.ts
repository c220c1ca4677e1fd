import type { Hono } from 'hono';
import type { ConsoleSource } from '../../src/console/console-source.ts';
import type { History, Snapshot } from '../../src/console/contract.ts';
import { createConsole, type ConsoleOptions } from '../../src/http/console.ts';
import { createFetchExchange } from '../../src/http/fetch-exchange.ts';
import { createOpenExchanges, type OpenExchanges } from '../../src/http/open-exchanges.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

/** A console with a source that the test writes; its digest of a text is that text. */
export interface ConsoleUnderTest {
  readonly clock: FakeClock;
  readonly openExchanges: OpenExchanges;
  readonly errors: readonly unknown[];
  /** With the token, unless another one is given; null sends none. */
  ask(path: string, init?: RequestInit & { readonly token?: string | null }): Promise<Response>;
  readonly routes: Hono;
}

export const TOKEN = 'the-token-of-the-console';

export function createConsoleUnderTest(
  source: Partial<ConsoleSource> = {},
  options: Partial<ConsoleOptions> = {},
): ConsoleUnderTest {
  const clock = createFakeClock();
  const openExchanges = createOpenExchanges();
  const errors: unknown[] = [];
  const routes = createConsole({
    clock,
    openExchanges,
    exchangeOf: createFetchExchange(clock),
    onInternalError: (error) => errors.push(error),
    console: consoleOf({ source: { ...EMPTY, ...source }, ...options }),
  });
  return {
    clock,
    openExchanges,
    errors,
    routes,
    async ask(path, { token = TOKEN, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (token !== null) headers.set('authorization', `Bearer ${token}`);
      return routes.request(path, { ...init, headers });
    },
  };
}

export function consoleOf(options: Partial<ConsoleOptions> = {}): ConsoleOptions {
  return {
    source: EMPTY,
    assets: async () => null,
    pace: { everyMs: 1_000, snapshots: 'shared' },
    token: { digest: () => TOKEN, sha256Hex: (text) => text },
    ...options,
  };
}

const EMPTY: ConsoleSource = {
  snapshot: async () => ({ atMs: 1 }) as Snapshot,
  history: async (): Promise<History> => ({ bucketMs: 10_000, buckets: [] }),
  requests: async () => [],
  request: async () => null,
  prefixes: async () => ({ atMs: 1, trees: [], hiddenNodes: 0, elsewhere: { readTokens: 0, writeTokens: 0 } }),
  volatilePrefixes: async () => [],
  savings: async (by) => ({ by }) as Awaited<ReturnType<ConsoleSource['savings']>>,
  savingsCsv: async () => 'day\r\n',
};
