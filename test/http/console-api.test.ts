import { describe, expect, it } from 'vitest';
import { createConsoleApi, type ConsoleApiOptions } from '../../src/http/console-api.ts';
import type { ExchangeRecord } from '../../src/pipeline/with-metering.ts';

const record = { id: 'slip_1', tenant: 'acme' } as ExchangeRecord;

function api(part: Partial<ConsoleApiOptions> = {}) {
  return createConsoleApi({
    tokenDigest: () => 'digest of secret',
    sha256Hex: (text) => `digest of ${text}`,
    request: (id) => (id === record.id ? record : undefined),
    requests: (most) => Array.from({ length: Math.min(most, 3) }, () => record),
    volatilePrefixes: () => [],
    ...part,
  });
}

const ask = (path: string, token?: string) =>
  [path, token ? { headers: { authorization: `Bearer ${token}` } } : {}] as const;

describe('the console API', () => {
  it('tells the story of a request by its id to whoever has the token', async () => {
    const response = await api().request(...ask('/requests/slip_1', 'secret'));
    expect(response.status).toBe(200);
    expect(await response.json()).toStrictEqual(record);
  });

  it.each([
    ['no token', undefined],
    ['another token', 'guess'],
  ])('tells nothing to a caller with %s', async (_what, token) => {
    const response = await api().request(...ask('/requests/slip_1', token));
    expect(response.status).toBe(401);
    expect(await response.text()).not.toContain('acme');
  });

  it('is not there without a token in the settings', async () => {
    const response = await api({ tokenDigest: () => null }).request(...ask('/requests', 'secret'));
    expect(response.status).toBe(404);
  });

  it('says that a request is too old or was never here', async () => {
    expect((await api().request(...ask('/requests/slip_2', 'secret'))).status).toBe(404);
  });

  it('lists the newest requests, as many as asked for', async () => {
    const response = await api().request(...ask('/requests?limit=2', 'secret'));
    expect(await response.json()).toStrictEqual({ requests: [record, record] });
  });

  it('lists the blocks that change in every request', async () => {
    const block = { place: 'system[0]' } as ReturnType<ConsoleApiOptions['volatilePrefixes']>[number];
    const response = await api({ volatilePrefixes: () => [block] }).request(...ask('/volatile-prefixes', 'secret'));
    expect(await response.json()).toStrictEqual({ volatilePrefixes: [block] });
  });
});
