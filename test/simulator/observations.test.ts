import { expect, test } from 'vitest';
import { ask, BASE, createSession, HEADERS } from './session.ts';

test('a call is seen with its query, its headers and its bytes as received', async () => {
  const { simulator } = createSession();
  const text = `{ "model":"claude-opus-4-8",  "max_tokens":1e1, "messages":[{"role":"user","content":"Grüße"}] }`;
  const headers = { ...HEADERS, 'X-Custom': 'kept' };
  await simulator.fetch(new Request(`${BASE}/v1/messages?beta=true`, { method: 'POST', headers, body: text }));
  const [seen] = simulator.observations.list;
  expect(seen).toMatchObject({
    method: 'POST',
    path: '/v1/messages',
    query: '?beta=true',
    outcome: 'complete',
    status: 200,
  });
  expect(seen?.headers['x-custom']).toBe('kept');
  expect(new TextDecoder().decode(seen?.body)).toBe(text);
});

test('refused calls are seen too, and billed nothing', async () => {
  const session = createSession();
  await session.post({});
  expect(session.simulator.observations.list[0]).toMatchObject({ outcome: 'refused', status: 400, usage: undefined });
});

test('a finished call has the usage it was billed', async () => {
  const session = createSession();
  await session.message(ask(), { 'x-simulator-output-tokens': '12' });
  expect(session.simulator.observations.list[0]?.usage).toEqual({
    uncachedTokens: 2,
    readTokens: 0,
    write5mTokens: 0,
    write1hTokens: 0,
    outputTokens: 12,
  });
});

test('only the newest calls are kept, and the bodies of older ones are forgotten first', async () => {
  const session = createSession({ keep: { calls: 3, bodyBytes: 250 } });
  for (let call = 0; call < 5; call++) await session.post(ask({ metadata: { user_id: `user-${call}` } }));
  const { list } = session.simulator.observations;
  expect(list).toHaveLength(3);
  expect(list.map((seen) => seen.body.length > 0)).toEqual([false, true, true]);
});
