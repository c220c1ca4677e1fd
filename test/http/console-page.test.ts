import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { ConsoleAsset } from '../../src/http/console-page.ts';
import { createConsoleUnderTest } from './console-under-test.ts';

function asset(text: string, contentType: string): ConsoleAsset {
  return { bytes: new TextEncoder().encode(text), contentType, etag: `"${text}"` };
}

const FILES = new Map([
  ['index.html', asset('the page', 'text/html; charset=utf-8')],
  ['app.js', asset('the script', 'text/javascript; charset=utf-8')],
]);
const page = () => createConsoleUnderTest({}, { assets: async (name) => FILES.get(name) ?? null });

describe('the console’s page', () => {
  it('needs no token: its files hold no figure', async () => {
    const response = await page().ask('/', { token: null });
    expect([response.status, await response.text()]).toEqual([200, 'the page']);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  });

  it('is at /console, and at the same with a slash behind it', async () => {
    for (const path of ['', '/']) {
      const app = new Hono().route('/console', page().routes);
      expect([path, await (await app.request(`/console${path}`)).text()]).toEqual([path, 'the page']);
    }
  });

  it('may load what comes from here and nothing else, and be framed by nobody', async () => {
    const { headers } = await page().ask('/');
    expect(headers.get('content-security-policy')?.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self' data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('is sent again only when it has changed', async () => {
    const { headers } = await page().ask('/app.js');
    expect([headers.get('etag'), headers.get('cache-control')]).toEqual(['"the script"', 'no-cache']);
    const again = await page().ask('/app.js', { headers: { 'if-none-match': '"the script"' } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect((await page().ask('/app.js', { headers: { 'if-none-match': '"older"' } })).status).toBe(200);
  });

  it.each(['/app.ts', '/..%2fcontract.ts', '/%2e%2e/contract.ts', '/page/app.tsx', '/index.html%00', '/constructor'])(
    'is a list of names, and %s is none of them',
    async (path) => {
      expect((await page().ask(path)).status).toBe(404);
    },
  );
});
