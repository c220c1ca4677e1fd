import { describe, expect, it } from 'vitest';
import { apiError, message, wholeStream } from '../support/claude-answers.ts';
import { asking, managed, passThrough, useStage } from '../support/gateway-under-test.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

const start = useStage();

describe('a redirect of the upstream', () => {
  it.each([301, 302, 303, 307, 308])('with status %i is not followed: the key does not travel', async (status) => {
    const stage = await start();
    const elsewhere = await startScriptedUpstream();
    try {
      stage.upstream.script = (call) => call.answer(status, 'moved', { location: `${elsewhere.url}/v1/messages` });
      const response = await stage.ask(asking());
      expect(response.status).toBe(502);
      expect(response.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } });
      expect(response.headers['x-should-retry']).toBe('false');
      expect(response.headers['location']).toBeUndefined();
      expect(elsewhere.calls).toHaveLength(0);
      expect(stage.upstream.calls).toHaveLength(1);
    } finally {
      await elsewhere.close();
    }
  });
});

describe('x-slipstream-id', () => {
  it('is another one on every answer, whoever wrote the answer', async () => {
    const stage = await start();
    const answers = [
      () => stage.upstream.calls.at(-1)?.answer(200, message()),
      () => stage.upstream.calls.at(-1)?.answer(529, apiError('overloaded_error')),
    ];
    let turn = 0;
    stage.upstream.script = () => answers[turn++ % answers.length]?.();
    const asked = [
      asking(),
      asking(),
      asking({ target: '/v1/messages/count_tokens' }),
      asking({ method: 'GET', target: '/v1/models', body: '' }),
      asking({ method: 'GET', target: '/nowhere', body: '' }),
      asking({ method: 'PUT' }),
      asking({ body: '[' }),
      asking({}, 'a-wrong-key'),
      asking({ method: 'HEAD', target: '/', body: '' }),
      asking({ method: 'GET', target: '/healthz', body: '' }),
      asking({ headers: { host: 'a b' } }),
      asking({ headers: { 'x-broken': 'a\0' } }),
    ];
    const ids = [];
    for (const parts of asked) ids.push((await stage.ask(parts)).headers['x-slipstream-id']);
    expect(ids.filter((id) => !/^slip_[0-9a-f]{32}$/.test(id ?? ''))).toEqual([]);
    expect(new Set(ids).size).toBe(asked.length);
  });

  it('is the id of the record, and of the error event in a stream that breaks off', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.sse();
    call.end();
    const response = await client.response();
    const id = response.headers['x-slipstream-id'];
    expect((await stage.record(0)).id).toBe(id);
    expect(response.text).toContain(`"request_id":"${id}"`);
  });
});

describe('a probe', () => {
  it.each([
    ['HEAD', '/'],
    ['HEAD', '/api/hello'],
    ['GET', '/api/hello'],
    ['GET', '/healthz'],
    ['GET', '/readyz'],
    ['GET', '/metrics'],
  ])('%s %s is answered without a credential and without the upstream, in either mode', async (method, target) => {
    for (const settings of [managed(), passThrough()]) {
      const stage = await start({ settings });
      const response = await stage.ask({ method, target });
      expect(response).toMatchObject({ status: 200, ending: 'whole' });
      expect(stage.upstream.calls).toHaveLength(0);
    }
  });

  it('and the messages after it may use one connection', async () => {
    const stage = await start();
    const client = await stage.connect();
    client.send('HEAD /api/hello HTTP/1.1\r\nhost: gateway.test\r\n\r\n');
    expect((await client.response({ isHead: true })).status).toBe(200);
    stage.upstream.script = (call) => {
      call.sse();
      call.write(wholeStream());
      call.end();
    };
    const body = '{"stream":true}';
    client.send(
      `POST /v1/messages HTTP/1.1\r\nhost: a\r\nx-api-key: gateway-key-of-acme\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    expect((await client.response()).text).toBe(wholeStream());
  });
});
