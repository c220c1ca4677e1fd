import { describe, expect, test } from 'vitest';
import { parseFaults } from '../../src/simulator/faults/parse-faults.ts';
import { ask, BASE, createSession, drain, longText, marked, parseEvents, type Session } from './session.ts';

const STREAM = ask({ stream: true, system: [marked(longText('system'))] });

async function faulted(fault: string, body: object = STREAM, session: Session = createSession()) {
  const response = await session.post(body, { 'x-simulator-fault': fault });
  const { text, end } = await drain(response);
  const [observation] = session.simulator.observations.list;
  return { response, text, end, outcome: observation?.outcome, usage: observation?.usage };
}

function contentCount(text: string): number {
  return parseEvents(text).filter((event) => event.name.startsWith('content_block_')).length;
}

describe('instead of an answer', () => {
  test('a status with its headers and error code', async () => {
    const fault = '429;retry-after=2;x-should-retry=false;code=enforced_spend_limit_reached';
    const { response, text, outcome, usage } = await faulted(fault);
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(JSON.parse(text)).toMatchObject({
      type: 'error',
      error: { type: 'rate_limit_error', details: { error_code: 'enforced_spend_limit_reached' } },
    });
    expect({ outcome, usage }).toEqual({ outcome: 'faulted', usage: undefined });
  });

  test('529 is overloaded_error, 500 api_error, 504 timeout_error', async () => {
    for (const [status, type] of [
      ['529', 'overloaded_error'],
      ['500', 'api_error'],
      ['504', 'timeout_error'],
    ] as const) {
      expect(JSON.parse((await faulted(status)).text)).toMatchObject({ error: { type } });
    }
  });

  test('a proxy’s HTML page', async () => {
    const { response, text } = await faulted('html-502');
    expect([response.status, response.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(text).toContain('<h1>502 Bad Gateway</h1>');
  });

  test('a redirect', async () => {
    const { response } = await faulted('redirect;to=/elsewhere');
    expect([response.status, response.headers.get('location')]).toEqual([307, '/elsewhere']);
  });

  test('silence before the headers, which ends with the caller', async () => {
    const session = createSession();
    const gone = new AbortController();
    const response = session.post(STREAM, { 'x-simulator-fault': 'stall-headers' }, { signal: gone.signal });
    await session.clock.advance(3_600_000);
    expect(session.simulator.observations.openRequests).toBe(1);
    gone.abort();
    await response;
    expect(session.simulator.observations.list[0]?.outcome).toBe('aborted');
  });
});

describe('inside a stream', () => {
  test('an error after n content events, and then a clean end without message_stop', async () => {
    const { text, end, outcome } = await faulted('error-in-stream;after=3');
    expect(contentCount(text)).toBe(3);
    const last = parseEvents(text).at(-1);
    expect(last).toMatchObject({
      name: 'error',
      data: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    });
    expect({ end, outcome }).toEqual({ end: 'closed', outcome: 'faulted' });
  });

  test('an error before any content comes after message_start, or as the very first event', async () => {
    const names = (text: string) => parseEvents(text).map((event) => event.name);
    expect(names((await faulted('error-in-stream;after=0')).text)).toEqual(['message_start', 'error']);
    expect(names((await faulted('error-in-stream;after=headers;type=api_error')).text)).toEqual(['error']);
  });

  test('what ends before its first content is billed nothing; what ends later is billed its input and the tokens so far', async () => {
    expect((await faulted('cut;after=0')).usage).toBeUndefined();
    const late = (await faulted('cut;after=4')).usage;
    expect(late?.write5mTokens).toBe(2000);
    expect(late?.outputTokens).toBeGreaterThan(0);
    expect(late?.outputTokens).toBeLessThan(20);
  });

  test('a cut connection breaks the body after n content events, and none of them is lost', async () => {
    const { text, end, outcome } = await faulted('cut;after=5');
    expect(contentCount(text)).toBe(5);
    expect({ end, outcome }).toEqual({ end: 'broken', outcome: 'faulted' });
  });

  test('an early end closes cleanly without message_stop', async () => {
    const { text, end } = await faulted('end-early;after=2');
    expect([contentCount(text), end]).toEqual([2, 'closed']);
    expect(text).not.toContain('message_stop');
  });

  test('a fault ordered for later than the last content strikes before message_delta', async () => {
    const { text } = await faulted('end-early;after=99999');
    expect(parseEvents(text).at(-1)?.name).toBe('content_block_stop');
  });

  test('a stall is silence without pings for its time, then the rest', async () => {
    const session = createSession();
    const response = await session.post(STREAM, { 'x-simulator-fault': 'stall;after=3;ms=20000' });
    const whole = drain(response);
    await session.clock.advance(19_999);
    expect(session.simulator.observations.openStreams).toBe(1);
    await session.clock.advance(1);
    expect((await whole).text).toContain('message_stop');
    expect(session.clock.pending).toBe(0);
  });

  test('a stall and then a cut', async () => {
    const session = createSession();
    const whole = drain(await session.post(STREAM, { 'x-simulator-fault': 'stall;after=2;ms=1000, cut;after=4' }));
    await session.clock.advance(1000);
    const { text, end } = await whole;
    expect([contentCount(text), end]).toEqual([4, 'broken']);
  });
});

describe('the framing', () => {
  test('without event lines', async () => {
    const { text } = await faulted('no-event-lines');
    expect(text).not.toContain('event:');
    expect(text).toContain('data: {"type":"message_stop"}\n\n');
  });

  test('with CRLF', async () => {
    expect((await faulted('crlf')).text).toContain('event: message_stop\r\ndata: {"type":"message_stop"}\r\n\r\n');
  });

  test('without pings', async () => {
    expect((await faulted('no-pings')).text).not.toContain('"ping"');
  });

  test('in chunks of a few bytes', async () => {
    const response = await createSession().post(STREAM, { 'x-simulator-fault': 'tiny-chunks;bytes=5' });
    for await (const chunk of response.body ?? []) expect(chunk.length).toBeLessThanOrEqual(5);
  });

  test.each([true, false])('gzipped, with stream: %s', async (stream) => {
    const response = await createSession().post(ask({ stream }), { 'x-simulator-fault': 'gzip' });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    const plain = response.body?.pipeThrough(new DecompressionStream('gzip')) ?? null;
    expect(await new Response(plain).text()).toContain(stream ? 'message_stop' : '"type":"message"');
  });
});

describe('a JSON answer', () => {
  test('is broken in the middle by a cut and ended in the middle by an early end', async () => {
    const cut = await faulted('cut', ask());
    const early = await faulted('end-early', ask());
    expect([cut.end, early.end]).toEqual(['broken', 'closed']);
    expect(() => void JSON.parse(early.text)).toThrow(SyntaxError);
  });

  test('becomes an error status where a stream would carry an error', async () => {
    const { response, text } = await faulted('error-in-stream', ask());
    expect(response.status).toBe(529);
    expect(JSON.parse(text)).toMatchObject({ error: { type: 'overloaded_error' } });
  });

  test('costs nothing where it is an error, however late a stream would have had it', async () => {
    const session = createSession();
    const response = await session.post(ask(), { 'x-simulator-fault': 'error-in-stream;after=3' });
    expect(response.status).toBe(529);
    expect(session.simulator.observations.list.at(-1)?.usage).toBeUndefined();
  });
});

describe('orders for calls to come', () => {
  const order = (session: Session, body: object) =>
    session.get('/_simulator/faults', { method: 'POST', body: JSON.stringify(body) });

  test('an order with `times` hits that many calls', async () => {
    const session = createSession();
    session.simulator.script({ fault: '529', times: 2 });
    const statuses = [];
    for (let call = 0; call < 4; call++) statuses.push((await session.post(ask())).status);
    expect(statuses).toEqual([529, 529, 200, 200]);
  });

  test('an order with `rate` hits its share, the same calls in every run', async () => {
    const run = async () => {
      const session = createSession();
      await order(session, { fault: '529', rate: 0.2 });
      const statuses = [];
      for (let call = 0; call < 200; call++) statuses.push((await session.post(ask())).status);
      return statuses;
    };
    const first = await run();
    const share = first.filter((status) => status === 529).length / first.length;
    expect(share).toBeGreaterThan(0.12);
    expect(share).toBeLessThan(0.28);
    expect(await run()).toEqual(first);
  });

  test('an order can be for one model, key or path', async () => {
    const session = createSession();
    await order(session, { fault: '500', match: { key: 'key-b' } });
    await order(session, { fault: '503', match: { model: 'claude-haiku-4-5' } });
    await order(session, { fault: '529', match: { path: '/v1/messages/count_tokens' } });
    const statuses = [ask(), ask({ model: 'claude-haiku-4-5-20251001' })].map(
      async (body) => (await session.post(body)).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 503]);
    expect((await session.post(ask(), { 'x-api-key': 'key-b' })).status).toBe(500);
    const counted = await session.get('/v1/messages/count_tokens', {
      method: 'POST',
      body: JSON.stringify({ model: 'claude-opus-5-5', messages: [] }),
    });
    expect(counted.status).toBe(529);
  });

  test('orders can be taken back, and wrong ones are told', async () => {
    const session = createSession();
    await order(session, { fault: '529' });
    await session.get('/_simulator/faults', { method: 'DELETE' });
    expect((await session.post(ask())).status).toBe(200);
    expect((await order(session, { fault: 'earthquake' })).status).toBe(400);
    expect((await session.post(ask(), { 'x-simulator-fault': 'earthquake' })).status).toBe(400);
    expect(() => session.simulator.script('earthquake')).toThrow('unknown fault');
  });

  test('the grammar takes several faults with parameters', () => {
    expect(parseFaults('gzip, stall;after=3;ms=20')).toEqual({
      kind: 'faults',
      faults: [{ kind: 'gzip' }, { kind: 'stall', after: 3, ms: 20 }],
    });
  });
});

describe('state and reset', () => {
  test('the state tells what was billed by workspace and model', async () => {
    const session = createSession({ workspaces: { 'key-a': 'one' } });
    const body = ask({ system: [marked(longText('system'))] });
    await session.message(body, { 'x-simulator-output-tokens': '10' });
    await session.message(body, { 'x-simulator-output-tokens': '10' });
    await session.post(body, { 'x-simulator-fault': '529' });
    const state: unknown = await (await session.simulator.fetch(new Request(`${BASE}/_simulator/state`))).json();
    expect(state).toEqual({
      cache_entries: 1,
      open_streams: 0,
      open_requests: 0,
      fault_orders: 0,
      totals: {
        one: {
          'claude-opus-4-8': {
            attempts: 3,
            requests: 2,
            uncachedTokens: 4,
            readTokens: 2000,
            write5mTokens: 2000,
            write1hTokens: 0,
            outputTokens: 20,
          },
        },
      },
    });
  });

  test('after a reset it is as new', async () => {
    const session = createSession();
    session.simulator.script({ fault: '529' });
    await session.post(ask());
    await session.get('/_simulator/reset', { method: 'POST' });
    expect(session.simulator.observations.list).toEqual([]);
    expect(session.simulator.totals()).toEqual({});
    expect((await session.post(ask())).status).toBe(200);
  });
});
