import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { serveApp } from '../../src/node/serve.ts';
import { accepted, fileText, spanMs } from './deploy-files.ts';

/** What a proxy's times and sizes must stand to: the defaults, since the files are for those. */
const { limits } = accepted('').config;
const example = accepted(fileText('slipstream.example.yaml')).config;

/** Longer than an answer that is not streamed may take: the transport waits 15 minutes for its head. */
const LONGEST_SILENCE_MS = 15 * 60_000;

const first = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';

/** How long the gateway keeps a connection that nobody uses, as it tells its clients. */
async function keepAliveMs(): Promise<number> {
  const app = new Hono().get('/', (c) => c.text('ok'));
  const server = await serveApp(app, { host: '127.0.0.1', port: 0, headersTimeoutMs: 1_000, bodyBytes: 1 });
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  await response.text();
  await server.close(0);
  return spanMs(first(response.headers.get('keep-alive') ?? '', /timeout=(\d+)/));
}

describe('deploy/nginx/slipstream.conf', () => {
  const conf = fileText('deploy/nginx/slipstream.conf');
  const value = (name: string): string => first(conf, new RegExp(`^ *${name} +([^;]+);`, 'm'));

  it('holds nothing back in either direction', () => {
    const names = ['proxy_buffering', 'proxy_request_buffering', 'gzip'];
    expect(names.map(value)).toEqual(['off', 'off', 'off']);
  });

  it('takes bodies as large as the gateway does by default, and refuses larger ones in the shape of the API', () => {
    expect(Number(first(value('client_max_body_size'), /^(\d+)m$/)) * 2 ** 20).toBe(limits.bodyBytes);
    expect(errorTypeIn(first(conf, /return 413 '(.+)';/))).toBe('request_too_large');
  });

  it('is more patient than the gateway', () => {
    expect(spanMs(value('proxy_read_timeout'))).toBeGreaterThan(Math.max(limits.streamIdleMs, LONGEST_SILENCE_MS));
    expect(spanMs(value('proxy_send_timeout'))).toBeGreaterThan(limits.streamIdleMs);
    expect(spanMs(value('send_timeout'))).toBeGreaterThan(limits.streamIdleMs);
  });

  it('closes quiet connections before the gateway does', async () => {
    expect(spanMs(value('keepalive_timeout'))).toBeLessThan(await keepAliveMs());
  });

  it('passes the path on as it came', () => {
    expect(value('proxy_pass')).toBe('http://slipstream');
  });

  it.each(['= /metrics', '/console', '= /readyz'])('does not show callers `location %s`', (location) => {
    expect(conf).toContain(`location ${location} { return 404; }`);
  });

  it('adds no header that would go on to the upstream', () => {
    expect([...conf.matchAll(/proxy_set_header +(\S+)/g)].map(([, name]) => name)).toEqual(['Connection']);
  });
});

describe('deploy/haproxy/haproxy.cfg', () => {
  const cfg = fileText('deploy/haproxy/haproxy.cfg');
  const value = (name: string): string => first(cfg, new RegExp(`^ *${name} +(\\S+)`, 'm'));

  it('lets every event go at once', () => {
    expect(cfg).toMatch(/^ {2}option http-no-delay\b/m);
  });

  it('takes bodies as large as the gateway does by default, and refuses larger ones in the shape of the API', () => {
    expect(Number(first(cfg, /req\.body_size gt (\d+)/))).toBe(limits.bodyBytes);
    expect(errorTypeIn(first(cfg, /status 413 .* string '(.+)' if/))).toBe('request_too_large');
  });

  it('is more patient than the gateway', () => {
    for (const side of ['client', 'server'])
      expect(spanMs(value(`timeout ${side}`))).toBeGreaterThan(Math.max(limits.streamIdleMs, LONGEST_SILENCE_MS));
  });

  it('sees that a gateway ends while that still serves, by the settings of the example', () => {
    const [, path = '', expected = ''] = /httpchk GET (\S+)\n.*expect status (\d+)/.exec(cfg) ?? [];
    expect([path, expected]).toEqual(['/readyz', '200']);
    const [, every = '', times = ''] = /check inter (\S+) fall (\d+)/.exec(cfg) ?? [];
    expect(spanMs(every) * Number(times)).toBeLessThan(example.limits.drainNoticeMs);
  });

  it('does not show callers what is for operators', () => {
    expect(cfg).toContain('{ path /metrics /readyz } or { path_beg /console }');
  });

  it('adds no header that would go on to the upstream', () => {
    expect(cfg).not.toMatch(/forwardfor|set-header|add-header/);
  });
});

function errorTypeIn(body: string): string {
  return (JSON.parse(body) as { error: { type: string } }).error.type;
}
