import { describe, expect, it } from 'vitest';
import { apiError, message, streamHead, streamTail, wholeStream } from '../support/claude-answers.ts';
import { eventually, standsStill } from '../support/eventually.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { asking, GLOBEX_KEY, managed, useStage, type OpenExchange, type Stage } from '../support/gateway-under-test.ts';
import { requestBytes, type RawClient, type RawResponse } from '../support/raw-client.ts';

const start = useStage();

const waiting = async (stage: Stage): Promise<number> => (await stage.slots()).get('acme')?.waiting ?? 0;

async function queue(stage: Stage, depth: number): Promise<RawClient> {
  const client = await stage.connect();
  client.send(requestBytes(asking()));
  await eventually(`${depth} requests wait`, 10_000, async () => (await waiting(stage)) === depth);
  return client;
}

function expectTooMany(response: RawResponse): void {
  expect(response.status).toBe(429);
  expect(response.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
  expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(response.headers['x-should-retry']).toBe('true');
  expect(response.headers['x-slipstream-id']).toMatch(/^slip_/);
}

describe("a tenant's concurrency", () => {
  it('lets no more than its slots reach the upstream, and the next when the last byte of one has left', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 2') });
    const first = await stage.open();
    await stage.open();
    await queue(stage, 1);
    first.call.sse();
    first.call.write(streamHead());
    await first.client.body('the first text arrives', (text) => text.includes('Hello'));
    expect(stage.upstream.calls).toHaveLength(2);
    first.call.write(streamTail());
    first.call.end();
    expect((await first.client.response()).ending).toBe('whole');
    await stage.upstream.call(2);
  });

  it('keeps a slot taken while the caller has not taken the rest of a finished answer', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1') });
    const { client, call } = await stage.open();
    const waiter = await queue(stage, 1);
    client.pause();
    call.sse();
    call.write(streamHead() + `: ${'x'.repeat(32 * 1024 * 1024)}\n\n` + streamTail());
    call.end();
    await standsStill('the gateway stops reading', 5_000, () => call.unsentBytes);
    expect(stage.upstream.calls).toHaveLength(1);
    client.resume();
    await eventually('all of it arrives', 10_000, () => client.peek().isWhole);
    (await stage.upstream.call(1)).answer(200, message());
    expect((await waiter.response()).status).toBe(200);
  });

  it('serves those who wait in the order in which they came', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1') });
    const first = await stage.open();
    const waiters = [await queue(stage, 1), await queue(stage, 2), await queue(stage, 3)];
    first.call.answer(200, message());
    for (const [index, waiter] of waiters.entries()) {
      (await stage.upstream.call(index + 1)).answer(200, message());
      expect((await waiter.response()).status).toBe(200);
    }
  });

  it('does not touch another tenant', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1, queue: { max: 0 }') });
    await stage.open();
    const other = await stage.open(asking({}, GLOBEX_KEY));
    other.call.answer(200, message());
    expect((await other.client.response()).status).toBe(200);
  });

  it('is not taken by token counts', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1, queue: { max: 0 }') });
    await stage.open();
    const counts = Array.from({ length: 25 }, (_, index) => index);
    stage.upstream.script = (call) => call.answer(200, { input_tokens: 9 });
    const answers = await Promise.all(
      counts.map(() => stage.ask(asking({ target: '/v1/messages/count_tokens?beta=true' }))),
    );
    expect(answers.map(({ status }) => status)).toEqual(counts.map(() => 200));
  });
});

describe('the queue', () => {
  it('refuses with 429 when it is full, and says when to come back', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1, queue: { max: 1 }') });
    await stage.open();
    await queue(stage, 1);
    expectTooMany(await stage.ask(asking()));
    expect(stage.upstream.calls).toHaveLength(1);
  });

  it('refuses with 429 who has waited for the whole timeout, and nobody earlier', async () => {
    const clock = createFakeClock();
    const stage = await start({ settings: managed('maxConcurrency: 1, queue: { timeout: 5s }'), clock });
    await stage.open();
    const waiter = await queue(stage, 1);
    await clock.advance(4_999);
    expect(await waiting(stage)).toBe(1);
    await clock.advance(1);
    expectTooMany(await waiter.response());
    expect(await waiting(stage)).toBe(0);
    expect(stage.upstream.calls).toHaveLength(1);
  });

  it.each(['fin', 'reset'] as const)(
    'forgets at once who hangs up by %s: they never reach the upstream',
    async (how) => {
      const stage = await start({ settings: managed('maxConcurrency: 1') });
      const first = await stage.open();
      const leaver = await queue(stage, 1);
      leaver[how]();
      await eventually('nobody waits', 10_000, async () => (await waiting(stage)) === 0);
      expect((await stage.metrics()).sum('slipstream_queue_depth')).toBe(0);
      first.call.answer(200, message());
      await first.client.response();
      await stage.record(1);
      expect(stage.upstream.calls).toHaveLength(1);
      expect((await stage.metrics()).sum('slipstream_requests_total', { status: '499' })).toBe(1);
    },
  );

  it('gives the place of a waiter that left to the one behind it', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1') });
    const first = await stage.open();
    const leaver = await queue(stage, 1);
    const next = await queue(stage, 2);
    leaver.reset();
    await eventually('one waits', 10_000, async () => (await waiting(stage)) === 1);
    first.call.answer(200, message());
    (await stage.upstream.call(1)).answer(200, message());
    expect((await next.response()).status).toBe(200);
  });

  it('lets in those who wait as soon as a reload has raised the limit', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1') });
    await stage.open();
    await queue(stage, 1);
    stage.reload(managed('maxConcurrency: 2'));
    await stage.upstream.call(1);
    expect(await waiting(stage)).toBe(0);
  });

  it('holds to a limit that a reload lowered, also when requests from before the reload end', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 3') });
    const before = [await stage.open(), await stage.open(), await stage.open()];
    stage.reload(managed('maxConcurrency: 1'));
    await queue(stage, 1);
    for (const { call, client } of before.slice(0, 2)) {
      call.answer(200, message());
      await client.response();
    }
    await eventually('two slots are back', 10_000, async () => (await stage.slots()).get('acme')?.inUse === 1);
    expect((await stage.slots()).get('acme')).toEqual({ inUse: 1, waiting: 1, limit: 1 });
  });
});

type Step = (exchange: OpenExchange, stage: Stage) => void | Promise<void>;

const ENDINGS: Readonly<Record<string, Step>> = {
  'a whole JSON answer': ({ call }) => call.answer(200, message()),
  'a whole stream': ({ call }) => {
    call.sse();
    call.write(wholeStream());
    call.end();
  },
  'an error of the upstream': ({ call }) => call.answer(529, apiError('overloaded_error')),
  'a rate limit of the upstream': ({ call }) => call.answer(429, apiError('rate_limit_error'), { 'retry-after': '3' }),
  'a connection that the upstream resets before its head': ({ call }) => call.reset(),
  'a connection that the upstream closes before its head': ({ call }) => call.fin(),
  'a stream that the upstream breaks off': ({ call }) => {
    call.sse();
    call.write(streamHead());
    call.fin();
  },
  'a JSON answer that the upstream breaks off': ({ call }) => {
    call.head(200, { 'content-type': 'application/json', 'content-length': '1000' });
    call.write('{"type":');
    call.reset();
  },
  'a redirect': ({ call }) => call.answer(307, '', { location: 'http://127.0.0.1:1/' }),
  'a caller that leaves before the head': ({ client }) => client.reset(),
  'a caller that leaves behind the head': async ({ call, client }) => {
    call.sse();
    call.write(streamHead());
    await client.head();
    client.fin();
  },
  'a caller that leaves mid-stream': async ({ call, client }) => {
    call.sse();
    call.write(streamHead());
    await client.body('the first text arrives', (text) => text.includes('Hello'));
    client.reset();
  },
};

describe('a slot', () => {
  it.each(Object.entries(ENDINGS))('is free again after %s', async (_name, end) => {
    const stage = await start({ settings: managed('maxConcurrency: 1, queue: { max: 0 }') });
    await end(await stage.open(), stage);
    await eventually('the slot is free', 10_000, async () => (await stage.slots()).size === 0);
    const next = await stage.open();
    next.call.answer(200, message());
    expect((await next.client.response()).status).toBe(200);
  });

  it('is free again after an upstream that refuses the connection, which is a 502', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1, queue: { max: 0 }') });
    await stage.upstream.close();
    for (let count = 0; count < 2; count++) {
      const response = await stage.ask(asking());
      expect(response.status).toBe(502);
      expect(response.json()).toMatchObject({ error: { type: 'api_error' } });
    }
    expect((await stage.metrics()).sum('slipstream_upstream_attempts_total', { outcome: 'network' })).toBe(2);
  });
});
