import { describe, expect, it } from 'vitest';
import { message, PING, streamHead, streamTail } from '../support/claude-answers.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { asking, managed, useStage, type OpenExchange } from '../support/gateway-under-test.ts';

/** Silence longer than 15 s is filled, because proxies and clients on the way give up on silent streams. */

const start = useStage();
const MADE_UP = 'event: ping\ndata: {"type": "ping"}\n\n';

async function openStream(bytes: string) {
  const clock = createFakeClock();
  const stage = await start({ clock });
  const exchange = await stage.open();
  exchange.call.sse();
  exchange.call.write(bytes);
  await sees(exchange, bytes);
  return { ...exchange, clock, stage };
}

function sees({ client }: Pick<OpenExchange, 'client'>, bytes: string): Promise<string> {
  return client.body(`the caller has ${JSON.stringify(bytes.slice(-40))}`, (text) => text === bytes);
}

describe('a silent stream', () => {
  it('gets a ping after 15 s, then every 15 s, and not a moment sooner', async () => {
    const { client, call, clock } = await openStream(streamHead());
    await clock.advance(14_999);
    expect(client.peek().body.toString()).toBe(streamHead());
    await clock.advance(1);
    await sees({ client }, streamHead() + MADE_UP);
    await clock.advance(30_000);
    await sees({ client }, streamHead() + MADE_UP.repeat(3));
    call.write(streamTail());
    call.end();
    expect(await client.response()).toMatchObject({
      ending: 'whole',
      text: streamHead() + MADE_UP.repeat(3) + streamTail(),
    });
  });

  it('gets its head and a ping after 15 s, when its first content is still to come', async () => {
    const { client, call, clock, stage } = await openStream('');
    await stage.streamsOpen(1);
    await clock.advance(14_999);
    expect(client.received).toHaveLength(0);
    await clock.advance(1);
    expect((await client.head()).status).toBe(200);
    await sees({ client }, MADE_UP);
    call.write(streamHead() + streamTail());
    call.end();
    await client.response();
    expect((await stage.record(0)).end).toBe('complete');
  });

  it('gets none in the middle of an event, not even between its lines', async () => {
    for (const half of [
      'event: content_block_delta\nda',
      'event: content_block_delta\n',
      'event: content_block_delta\r',
    ]) {
      const { client, call, clock } = await openStream(streamHead() + half);
      await clock.advance(60_000);
      expect(client.peek().body.toString()).toBe(streamHead() + half);
      call.write('\ndata: {}\n\n');
      call.end();
      expect((await client.response()).text).not.toContain(MADE_UP);
    }
  });

  it('has its silence counted anew from every byte of the upstream, its pings among them', async () => {
    const { client, call, clock } = await openStream(streamHead());
    await clock.advance(10_000);
    call.write(PING);
    await sees({ client }, streamHead() + PING);
    await clock.advance(14_999);
    expect(client.peek().body.toString()).toBe(streamHead() + PING);
    await clock.advance(1);
    await sees({ client }, streamHead() + PING + MADE_UP);
  });

  it('gets no more pings when it is over or its caller gone', async () => {
    const whole = await openStream(streamHead());
    whole.call.write(streamTail());
    whole.call.end();
    await whole.client.response();
    await whole.stage.record(0);
    expect(whole.clock.pending).toBe(0);
    const left = await openStream(streamHead());
    left.client.reset();
    await left.stage.record(0);
    expect(left.clock.pending).toBe(0);
  });
});

describe('what is no stream', () => {
  it('gets no ping: a JSON answer, an answer that has not begun, a request in the queue', async () => {
    const clock = createFakeClock();
    const stage = await start({ clock, settings: managed('maxConcurrency: 1, queue: { timeout: 10m }') });
    const { client, call } = await stage.open(asking({ body: '{"model":"claude-sonnet-5"}' }));
    const waiter = await stage.connect();
    waiter.send('');
    await clock.advance(60_000);
    expect(client.received).toHaveLength(0);
    call.head(200, { 'content-type': 'application/json' });
    call.write('{"type":"mess');
    await clock.advance(60_000);
    expect(client.received).toHaveLength(0);
    call.write('age"}');
    call.end();
    expect((await client.response()).json()).toEqual({ type: 'message' });
  });

  it('gets no ping in the middle of a JSON answer that is too long to be kept', async () => {
    const clock = createFakeClock();
    const stage = await start({ clock });
    const { client, call } = await stage.open(asking({ body: '{"model":"claude-sonnet-5"}' }));
    const half = `${' '.repeat(1024 * 1024)}{"type":"mess`;
    call.head(200, { 'content-type': 'application/json' });
    call.write(half);
    await sees({ client }, half);
    await clock.advance(60_000);
    call.write('age"}');
    call.end();
    expect((await client.response()).text === `${half}age"}`).toBe(true);
  });

  it('gets no ping when it is an error answer, whatever its type', async () => {
    const clock = createFakeClock();
    const stage = await start({ clock });
    const { client, call } = await stage.open();
    call.head(529, { 'content-type': 'text/event-stream' });
    await stage.anotherExchange();
    await clock.advance(60_000);
    call.write(JSON.stringify(message()));
    call.end();
    expect((await client.response()).json()).toEqual(message());
  });
});
