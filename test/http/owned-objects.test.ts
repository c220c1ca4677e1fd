import { describe, expect, it } from 'vitest';
import { createAppUnderTest } from './app-under-test.ts';

const KEY = { 'x-api-key': 'sk-known' };

describe('a path of batches or files', () => {
  it.each([
    ['POST', '/v1/messages/batches', { of: 'batches', does: 'create' }],
    ['GET', '/v1/messages/batches?limit=2', { of: 'batches', does: 'list' }],
    ['GET', '/v1/messages/batches/msgbatch_1-A', { of: 'batches', does: 'read', id: 'msgbatch_1-A' }],
    ['GET', '/v1/messages/batches/b/results?x=1', { of: 'batches', does: 'download', id: 'b' }],
    ['POST', '/v1/messages/batches/b/cancel', { of: 'batches', does: 'cancel', id: 'b' }],
    ['DELETE', '/v1/messages/batches/b', { of: 'batches', does: 'delete', id: 'b' }],
    ['POST', '/v1/files', { of: 'files', does: 'create' }],
    ['GET', '/v1/files', { of: 'files', does: 'list' }],
    ['GET', '/v1/files/f', { of: 'files', does: 'read', id: 'f' }],
    ['GET', '/v1/files/f/content', { of: 'files', does: 'download', id: 'f' }],
    ['DELETE', '/v1/files/f?beta=true', { of: 'files', does: 'delete', id: 'f' }],
  ])('%s %s says what is done to what, and goes on as it was written', async (method, target, object) => {
    const app = createAppUnderTest();
    expect((await app.request(target, { method, headers: KEY })).status).toBe(200);
    const { request } = app.served[0] ?? {};
    expect(request).toMatchObject({ operation: object.of, method, target, model: null, prompt: null });
    expect(request?.object).toEqual({ ...object, gatewayUrl: 'http://localhost' });
  });
});

describe('where a caller reaches the gateway', () => {
  const reachedAt = async (url: string, headers: Record<string, string> = {}): Promise<string | undefined> => {
    const app = createAppUnderTest();
    await app.request(url, { headers: { ...KEY, ...headers } });
    return app.served[0]?.request.object?.gatewayUrl;
  };
  const FILES = 'https://claude.example:8443/v1/files';

  it('is where it has asked', async () => {
    expect(await reachedAt(FILES)).toBe('https://claude.example:8443');
  });

  it.each([
    ['a scheme', { 'x-forwarded-proto': 'HTTP' }, 'http://claude.example:8443'],
    ['a host', { 'x-forwarded-host': 'outer.example' }, 'https://outer.example'],
    ['an IPv6 address', { 'x-forwarded-host': '[::1]:80' }, 'https://[::1]:80'],
    ['several, the outermost first', { 'x-forwarded-host': 'outer.example:1, inner' }, 'https://outer.example:1'],
  ])('or where proxies say that it has: %s', async (_what, headers, expected) => {
    expect(await reachedAt(FILES, headers)).toBe(expected);
  });

  it('is where the settings say, whatever else is said', async () => {
    const app = createAppUnderTest({ publicUrl: () => 'https://outer.example/claude' });
    await app.request(FILES, { headers: { ...KEY, 'x-forwarded-host': 'another.example' } });
    expect(app.served[0]?.request.object?.gatewayUrl).toBe('https://outer.example/claude');
  });

  it.each([
    { 'x-forwarded-proto': 'javascript' },
    { 'x-forwarded-host': 'a/b' },
    { 'x-forwarded-host': 'user@a' },
    { 'x-forwarded-host': 'a"b' },
    { 'x-forwarded-host': '' },
  ])('and nothing that is no address: %j', async (headers) => {
    expect(await reachedAt(FILES, headers)).toBe('https://claude.example:8443');
  });
});
