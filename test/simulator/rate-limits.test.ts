import { describe, expect, test } from 'vitest';
import { ask, createSession, longText, marked, type Session } from './session.ts';

const ROOMY = { requestsPerMinute: 1000, inputTokensPerMinute: 1_000_000, outputTokensPerMinute: 1_000_000 };

function limited(limits: Partial<typeof ROOMY>, rest: object = {}): Session {
  return createSession({ rateLimits: { eachClass: { ...ROOMY, ...limits }, ...rest } });
}

async function statuses(session: Session, count: number, body: object = ask()): Promise<number[]> {
  const all: number[] = [];
  for (let call = 0; call < count; call++) all.push((await session.post(body)).status);
  return all;
}

describe('token buckets (§5.4)', () => {
  test('requests per minute: beyond them 429 with retry-after, and one more for each slice of a minute', async () => {
    const session = limited({ requestsPerMinute: 2 });
    expect(await statuses(session, 3)).toEqual([200, 200, 429]);
    const refused = await session.post(ask());
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error' } });
    await session.clock.advance(30_000);
    expect(await statuses(session, 2)).toEqual([200, 429]);
  });

  test('input tokens count when they are written or uncached, not when they are read', async () => {
    const session = limited({ inputTokensPerMinute: 2500 });
    const body = ask({ system: [marked(longText('system', 2000))] });
    expect(await statuses(session, 20, body)).toEqual(Array.from({ length: 20 }, () => 200));
    expect((await session.post(ask({ system: longText('other', 2000) }))).status).toBe(429);
  });

  test('output counts as produced, whatever max_tokens asks for', async () => {
    const session = limited({ outputTokensPerMinute: 100 });
    const send = async () =>
      (await session.post(ask({ max_tokens: 100_000 }), { 'x-simulator-output-tokens': '60' })).status;
    expect([await send(), await send(), await send()]).toEqual([200, 200, 429]);
  });

  test('models of one class share their buckets, other classes have their own', async () => {
    const session = limited({ requestsPerMinute: 1 });
    const status = async (model: string) => (await session.post(ask({ model }))).status;
    expect(await status('claude-opus-4-8')).toBe(200);
    expect(await status('claude-opus-4-5')).toBe(429);
    expect(await status('claude-opus-5')).toBe(200);
  });

  test('limits are the organization’s, or each workspace’s if set so', async () => {
    const status = (session: Session, workspace: string) =>
      session.post(ask(), { 'anthropic-workspace-id': workspace }).then((response) => response.status);
    const shared = limited({ requestsPerMinute: 1 });
    expect([await status(shared, 'one'), await status(shared, 'two')]).toEqual([200, 429]);
    const separate = limited({ requestsPerMinute: 1 }, { scope: 'workspace' });
    expect([await status(separate, 'one'), await status(separate, 'two')]).toEqual([200, 200]);
  });

  test('a refused call takes nothing from the buckets and refreshes no cache entry', async () => {
    const session = limited({ requestsPerMinute: 1 });
    const body = ask({ system: [marked(longText('system'))] });
    await session.post(body);
    await session.clock.advance(20_000);
    expect((await session.post(body)).status).toBe(429);
    await session.clock.advance(285_000);
    expect((await session.message(body)).usage.cache_read_input_tokens).toBe(0);
  });
});

describe('rate-limit headers (§5.5)', () => {
  test('limit, remaining and reset of each kind; tokens rounded to thousands, reset in RFC 3339', async () => {
    const session = limited({ inputTokensPerMinute: 10_000 });
    const { headers } = await session.post(ask({ system: longText('system', 2600) }));
    expect(headers.get('anthropic-ratelimit-requests-limit')).toBe('1000');
    expect(headers.get('anthropic-ratelimit-requests-remaining')).toBe('999');
    expect(headers.get('anthropic-ratelimit-input-tokens-remaining')).toBe('7000');
    expect(headers.get('anthropic-ratelimit-tokens-limit')).toBe('10000');
    expect(headers.get('anthropic-ratelimit-input-tokens-reset')).toBe('2026-11-22T00:00:16Z');
  });

  test('without limits there are no such headers', async () => {
    const { headers } = await createSession().post(ask());
    expect([...headers.keys()].filter((name) => name.startsWith('anthropic-ratelimit'))).toEqual([]);
  });
});
