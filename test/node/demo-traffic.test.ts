import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse-config.ts';
import { curlLine } from '../../src/node/demo/curl-line.ts';
import { createDesk, type Desk } from '../../src/node/demo/desk.ts';
import { introduction } from '../../src/node/demo/introduction.ts';
import { listenNear } from '../../src/node/demo/listen-near.ts';
import { createRetryWatch } from '../../src/node/demo/retry-watch.ts';
import { demoSettings, SAMPLE_TENANTS } from '../../src/node/demo/sample-tenants.ts';
import { createWriter } from '../../src/node/demo/words.ts';
import { sha256Hex } from '../../src/node/gateway.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A server that answers every request with this status, or never. */
async function serve(status: number | 'never', port = 0): Promise<number> {
  const server = createServer((_incoming, outgoing) => {
    if (status === 'never') outgoing.flushHeaders();
    else outgoing.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

function openDesk(port: number) {
  const clock = createFakeClock();
  const [stop, cut] = [new AbortController(), new AbortController()];
  const failures: string[] = [];
  const desk: Desk = createDesk({
    clock,
    baseUrl: `http://127.0.0.1:${port}`,
    tenant: 'chat',
    key: 'demo-chat-key',
    seed: 1,
    retries: createRetryWatch(),
    stop: stop.signal,
    cut: cut.signal,
    onFailure: (tenant) => failures.push(tenant),
  });
  return { clock, desk, stop, cut, failures };
}

const QUESTION = { model: 'claude-sonnet-5', max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hello' }] };

describe('a sample app at its desk', () => {
  it('tells a request that failed, once, and waits before the next', async () => {
    const { clock, desk, stop, failures } = openDesk(await serve(500));
    const answer = desk.ask(QUESTION);
    await expect.poll(() => clock.pending, { timeout: 5_000 }).toBe(1);
    expect(failures).toEqual(['chat']);
    stop.abort();
    expect(await answer).toEqual({ kind: 'none' });
    expect(clock.pending).toBe(0);
  });

  it('does not take for a failure what the end of the demo cut off', async () => {
    const { desk, cut, failures } = openDesk(await serve('never'));
    const answer = desk.ask(QUESTION);
    cut.abort();
    expect(await answer).toEqual({ kind: 'none' });
    expect(failures).toEqual([]);
  });

  it('asks nothing any more once the demo stops', async () => {
    const { desk, stop, failures } = openDesk(await serve(500));
    stop.abort();
    expect(await desk.ask(QUESTION)).toEqual({ kind: 'none' });
    expect(failures).toEqual([]);
  });

  it('wakes from a pause when the demo stops, and leaves no timer', async () => {
    const { clock, desk, stop } = openDesk(0);
    const pause = desk.pause(20_000);
    expect(clock.pending).toBe(1);
    stop.abort();
    await pause;
    expect(clock.pending).toBe(0);
  });
});

describe('the words of the demo', () => {
  it('are the same for the same seed and others for another', () => {
    expect(createWriter(3).text(500)).toBe(createWriter(3).text(500));
    expect(createWriter(3).text(500)).not.toBe(createWriter(4).text(500));
  });

  it('come to about the tokens that were asked for, at 2.5 bytes each', () => {
    const { length } = createWriter(1).text(20_000);
    expect(length).toBeGreaterThanOrEqual(50_000);
    expect(length).toBeLessThan(50_200);
  });

  it('stay within the bounds of a draw', () => {
    const { between } = createWriter(9);
    const draws = Array.from({ length: 500 }, () => between(2, 4));
    expect(new Set(draws)).toEqual(new Set([2, 3, 4]));
  });
});

describe('retries at the door of the upstream', () => {
  const arrive = (door: (request: Request) => unknown, id: string) =>
    door(new Request('http://127.0.0.1/v1/messages', { headers: { 'x-client-request-id': id } }));

  it('are arrivals of a request that has been there before', () => {
    const watch = createRetryWatch();
    const door = watch.watching(() => new Response());
    const [first, second] = [watch.begin('chat'), watch.begin('rag')];
    for (const id of [first.id, second.id, second.id, second.id]) arrive(door, id);
    expect([watch.retriesOf('chat'), watch.retriesOf('rag')]).toEqual([0, 2]);
  });

  it('are not counted for requests of others', () => {
    const watch = createRetryWatch();
    const door = watch.watching(() => new Response());
    for (const id of ['chat-1', 'chat-1']) arrive(door, id);
    expect(watch.retriesOf('chat')).toBe(0);
  });
});

describe('the port of the demo', () => {
  it('is the next free one where the wanted one is taken', async () => {
    const taken = await serve(200);
    const port = await listenNear(taken, (port) => serve(200, port));
    expect(port).not.toBe(taken);
  });

  it('is not looked for when listening fails for another reason', async () => {
    const refused = Object.assign(new Error('not allowed'), { code: 'EACCES' });
    await expect(listenNear(80, () => Promise.reject(refused))).rejects.toBe(refused);
  });

  it('is said to be another one than was wanted', () => {
    const addresses = { gatewayUrl: 'http://127.0.0.1:8790', simulatorUrl: 'http://127.0.0.1:8788', consoleToken: 't' };
    expect(introduction({ ...addresses, portTaken: 8787 }, {})).toContain('Port 8787 is taken, hence another one.');
    expect(introduction({ ...addresses, portTaken: null }, {})).not.toContain('taken');
  });
});

describe('what the demo prints and sets up', () => {
  it('keeps curl away from a proxy of the environment', () => {
    expect(curlLine('http://127.0.0.1:1', 'key', {})).not.toContain('noproxy');
    expect(curlLine('http://127.0.0.1:1', 'key', { http_proxy: 'http://proxy:1' })).toContain("--noproxy '*'");
  });

  it('prints the key of every sample tenant', () => {
    const text = introduction({ gatewayUrl: 'g', simulatorUrl: 's', consoleToken: 't', portTaken: null }, {});
    for (const { key } of SAMPLE_TENANTS) expect(text).toContain(key);
  });

  it('prints where the console is, its token where a browser does not send it', () => {
    const addresses = {
      gatewayUrl: 'http://127.0.0.1:8787',
      simulatorUrl: 's',
      consoleToken: 'secret',
      portTaken: null,
    };
    expect(introduction(addresses, {})).toContain('\nconsole   http://127.0.0.1:8787/console#token=secret\n');
  });

  it('has settings that are valid and have no setting without effect', () => {
    const settings = parseConfig(demoSettings('http://127.0.0.1:8788', 'token'), {}, { sha256Hex });
    expect(settings).toMatchObject({ kind: 'ok', notices: [], config: { mode: 'managed' } });
  });
});
