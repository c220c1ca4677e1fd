import { Hono } from 'hono';
import type { ExchangeRecord } from '../pipeline/with-metering.ts';
import type { VolatileBlock } from '../prompt/volatile-prefix.ts';

/** What an operator can ask about requests and prompts, without ever being shown one. Behind the console's token. */
export interface ConsoleApiOptions {
  /** SHA-256 of the console's token; null switches the whole of it off. */
  readonly tokenDigest: () => string | null;
  readonly sha256Hex: (text: string) => string;
  readonly request: (id: string) => ExchangeRecord | undefined;
  readonly requests: (most: number) => readonly ExchangeRecord[];
  readonly volatilePrefixes: () => readonly VolatileBlock[];
}

const MOST_REQUESTS = 200;

export function createConsoleApi(options: ConsoleApiOptions): Hono {
  const api = new Hono();
  api.use(async (c, next) => {
    const digest = options.tokenDigest();
    if (digest === null) return c.json({ error: 'The console is off: set console.token.' }, 404);
    const token = /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
    // Digests are compared, so that the time this takes says nothing about the token.
    if (options.sha256Hex(token) !== digest)
      return c.json({ error: 'Send Authorization: Bearer <console.token>.' }, 401);
    return next();
  });
  api.get('/requests', (c) => {
    const most = Math.min(MOST_REQUESTS, Number(c.req.query('limit') ?? 50) || 50);
    return c.json({ requests: options.requests(most) });
  });
  api.get('/requests/:id', (c) => {
    const record = options.request(c.req.param('id'));
    return record ? c.json(record) : c.json({ error: 'Not among the newest requests of this process.' }, 404);
  });
  api.get('/volatile-prefixes', (c) => c.json({ volatilePrefixes: options.volatilePrefixes() }));
  return api;
}
