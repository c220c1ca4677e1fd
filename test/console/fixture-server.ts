import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SavingsReport } from '../../src/console/contract.ts';
import { PAGE_HEADERS } from '../../src/http/console-page.ts';
import { bucketsUntil, forestAt, requestRows, savingsBy, snapshotAt, storyOf } from './fixture-data.ts';

/**
 * The console's page in front of made-up figures, under the real content security policy: for looking at the page while
 * it is made. `node test/console/fixture-server.ts 8790`, then open /console#token=fixture.
 */
const TYPES: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };

export interface Fixture {
  readonly url: string;
  readonly port: number;
  /** Cuts every connection. */
  close(): Promise<void>;
}

export async function startFixture(port = 0): Promise<Fixture> {
  const sinceAtMs = Date.now() - 3 * 3_600_000;
  const server = createServer((request, response) => answer(request, response, sinceAtMs));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: taken } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${taken}/console`, port: taken, close };
}

function answer(request: IncomingMessage, response: ServerResponse, sinceAtMs: number): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fixture');
  if (!pathname.startsWith('/console/api/'))
    return sendAsset(response, pathname.slice('/console'.length + 1) || 'index.html');
  if (request.headers.authorization !== 'Bearer fixture') return sendJson(response, { error: 'Send the token.' }, 401);
  const [view, id] = pathname.slice('/console/api/'.length).split('/');
  const nowMs = Date.now();
  switch (view) {
    case 'live':
      return sendEvents(response, sinceAtMs);
    case 'requests':
      return id ? sendStory(response, id, nowMs) : sendJson(response, { requests: filtered(searchParams, nowMs) });
    case 'prefixes':
      return sendJson(response, forestAt(nowMs));
    case 'volatile-prefixes':
      return sendJson(response, { volatilePrefixes: [ADVICE] });
    case 'savings':
      return sendJson(
        response,
        savingsBy((searchParams.get('by') ?? 'tenant') as SavingsReport['by'], nowMs, sinceAtMs),
      );
    default:
      response.writeHead(200, {
        'content-type': 'text/csv',
        'content-disposition': 'attachment; filename="savings.csv"',
      });
      response.end('day,tenant,model\r\n');
  }
}

const ADVICE = {
  tenant: 'rag',
  model: 'claude-sonnet-5',
  place: 'system[0]',
  requests: 420,
  changes: 412,
  tokensBehind: 8200,
  requestsPerDay: 1900,
  wastedUsdPerDay: 42.07,
};

function filtered(asked: URLSearchParams, nowMs: number) {
  const rows = requestRows(nowMs).filter((row) =>
    (['tenant', 'model', 'cache', 'fault'] as const).every((name) => !asked.has(name) || row[name] === asked.get(name)),
  );
  const after = asked.has('before') ? rows.findIndex(({ id }) => id === asked.get('before')) + 1 : 0;
  return rows.slice(after, after + Number(asked.get('limit') ?? 50));
}

function sendStory(response: ServerResponse, id: string, nowMs: number): void {
  const row = requestRows(nowMs).find((one) => one.id === id);
  if (row) sendJson(response, storyOf(row));
  else sendJson(response, { error: 'Not among the newest requests of this process.' }, 404);
}

function sendEvents(response: ServerResponse, sinceAtMs: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type: string, value: unknown) => response.write(`event: ${type}\ndata: ${JSON.stringify(value)}\n\n`);
  send('history', { bucketMs: 10_000, buckets: bucketsUntil(Date.now(), 180) });
  send('snapshot', snapshotAt(Date.now(), sinceAtMs));
  const timer = setInterval(() => send('snapshot', snapshotAt(Date.now(), sinceAtMs)), 1000);
  response.on('close', () => clearInterval(timer));
}

function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function sendAsset(response: ServerResponse, name: string): void {
  const type = TYPES[name.split('.').at(-1) ?? ''];
  if (type === undefined) return sendJson(response, { error: 'no such file' }, 404);
  response.writeHead(200, { ...PAGE_HEADERS, 'content-type': `${type}; charset=utf-8` });
  response.end(readFileSync(new URL(`../../src/console/assets/${name}`, import.meta.url)));
}

if (import.meta.main) console.log((await startFixture(Number(process.argv[2] ?? 0))).url);
