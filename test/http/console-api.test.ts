import { describe, expect, it } from 'vitest';
import type { RequestStory } from '../../src/console/contract.ts';
import type { RequestQuery } from '../../src/console/request-query.ts';
import { createConsoleUnderTest, TOKEN } from './console-under-test.ts';

const story = { id: 'slip_1', tenant: 'acme' } as RequestStory;
const withStory = () => createConsoleUnderTest({ request: async (id) => (id === story.id ? story : null) });

async function errorOf(answer: Promise<Response>): Promise<[number, string]> {
  const response = await answer;
  return [response.status, ((await response.json()) as { error: string }).error];
}

describe('the console API', () => {
  it('tells the story of a request by its id to whoever has the token, for nobody to keep', async () => {
    const response = await withStory().ask('/api/requests/slip_1');
    expect(response.status).toBe(200);
    expect(await response.json()).toStrictEqual(story);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    ['no token', null],
    ['another token', 'guess'],
    ['the token and more', `${TOKEN}x`],
  ])('tells nothing to a caller with %s', async (_what, token) => {
    for (const path of ['/api/requests/slip_1', '/api/live', '/api/savings.csv', '/api/nothing']) {
      const response = await withStory().ask(path, { token });
      expect([path, response.status, response.headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer']);
      expect(await response.text()).not.toContain('acme');
    }
  });

  it.each(['/', '/app.js', '/api/requests', '/api/live', '/api/nothing/of/the/kind'])(
    'is not there without a token in the settings, and %s says how to switch it on',
    async (path) => {
      const off = createConsoleUnderTest({}, { token: { digest: () => null, sha256Hex: (text) => text } });
      expect(await errorOf(off.ask(path))).toEqual([
        404,
        'The console is off: set console.token in the settings to switch it on.',
      ]);
    },
  );

  it('says that a request is too old or was never here', async () => {
    expect((await errorOf(withStory().ask('/api/requests/slip_2')))[0]).toBe(404);
  });

  it('asks for what the query names, and for the newest hundred where it names nothing', async () => {
    const asked: RequestQuery[] = [];
    const { ask } = createConsoleUnderTest({ requests: async (query) => (asked.push(query), []) });
    expect(await (await ask('/api/requests')).json()).toEqual({ requests: [] });
    await ask('/api/requests?limit=7&tenant=acme&model=claude-opus-5&cache=miss&fault=upstream&before=slip_9');
    expect(asked).toEqual([
      { limit: 100 },
      { limit: 7, tenant: 'acme', model: 'claude-opus-5', cache: 'miss', fault: 'upstream', before: 'slip_9' },
    ]);
  });

  it.each([
    ['limit=0', 'limit takes a whole number from 1 to 500.'],
    ['limit=501', 'limit takes a whole number from 1 to 500.'],
    ['limit=many', 'limit takes a whole number from 1 to 500.'],
    ['cache=warm', 'cache takes hit, partial, miss, off.'],
    ['fault=mine', 'fault takes caller, gateway, upstream.'],
    ['tennant=acme', 'tennant is not known; what can be asked for is: limit, tenant, model, cache, fault, before.'],
  ])('says of requests?%s what would have been right', async (query, error) => {
    expect(await errorOf(createConsoleUnderTest().ask(`/api/requests?${query}`))).toEqual([400, error]);
  });

  it('says that the request to go on behind is not remembered', async () => {
    const { ask } = createConsoleUnderTest({ requests: async () => null });
    const error = 'before names a request that is not remembered any more.';
    expect(await errorOf(ask('/api/requests?before=slip_0'))).toEqual([400, error]);
  });

  it('tells the savings by tenant, unless asked otherwise', async () => {
    const { ask } = createConsoleUnderTest();
    expect(await (await ask('/api/savings')).json()).toEqual({ by: 'tenant' });
    expect(await (await ask('/api/savings?by=day')).json()).toEqual({ by: 'day' });
    expect(await errorOf(ask('/api/savings?by=week'))).toEqual([400, 'by takes tenant, model, day.']);
    expect((await errorOf(ask('/api/savings?of=acme')))[1]).toContain('of is not known');
  });

  it('hands the savings out as a file with its day in the name', async () => {
    const response = await createConsoleUnderTest().ask('/api/savings.csv');
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(response.headers.get('content-disposition')).toBe(
      'attachment; filename="slipstream-savings-2026-11-22.csv"',
    );
    expect(await response.text()).toBe('day\r\n');
  });

  it('has the prefixes and the blocks that spoil them', async () => {
    const { ask } = createConsoleUnderTest();
    expect(await (await ask('/api/prefixes')).json()).toMatchObject({ trees: [] });
    expect(await (await ask('/api/volatile-prefixes')).json()).toEqual({ volatilePrefixes: [] });
  });

  it.each(['/api/requests', '/api/live'])('says of %s that its figures cannot be read, and logs why', async (path) => {
    const unreachable = async (): Promise<never> => Promise.reject(new Error('no hub at 10.0.0.7'));
    const console = createConsoleUnderTest({ requests: unreachable, history: unreachable });
    const response = await console.ask(path);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.json()).toEqual({ error: expect.stringMatching(/^The figures cannot be read/) as string });
    expect(console.errors).toEqual([new Error('no hub at 10.0.0.7')]);
  });

  it('takes GET and HEAD, and of a stream without an end no HEAD', async () => {
    const { ask } = createConsoleUnderTest();
    expect((await ask('/api/savings', { method: 'HEAD' })).status).toBe(200);
    expect((await ask('/api/live', { method: 'HEAD' })).status).toBe(405);
    for (const path of ['/api/requests', '/api/live', '/api/savings.csv', '/', '/app.js']) {
      const response = await ask(path, { method: 'POST', body: '{}' });
      expect([path, response.status, response.headers.get('allow')]).toEqual([path, 405, 'GET']);
    }
  });

  it('names its paths to whoever asks for another', async () => {
    const [status, error] = await errorOf(createConsoleUnderTest().ask('/api/request'));
    expect(status).toBe(404);
    expect(error).toContain('/console/api/requests, ');
  });
});
