import { describe, expect, it } from 'vitest';
import type { Operation } from '../../src/core/exchange.ts';
import { message, messageStart, textDelta, wholeStream } from '../support/claude-answers.ts';
import { ABORTED, BROKEN, CACHE_HEADER, ENDED, useRelay } from './relay-under-test.ts';

/** When the head of an answer goes out, and what stands in it. */

const HEAD_ALONE_AFTER_MS = 250;

const exchange = useRelay();
const { streamBegins, jsonBegins, head, chunk, finish, renew } = exchange;

describe('the head of a stream', () => {
  it('waits for the first chunk and goes out before it', async () => {
    streamBegins();
    await exchange.clock.advance(HEAD_ALONE_AFTER_MS - 1);
    expect(exchange.reply.isOpen).toBe(false);
    chunk(messageStart());
    expect([exchange.reply.head?.status, exchange.reply.text]).toEqual([200, messageStart()]);
  });

  it('goes out alone after 250 ms, and not a moment sooner', async () => {
    await exchange.clock.advance(1_000);
    streamBegins();
    await exchange.clock.advance(HEAD_ALONE_AFTER_MS - 1);
    expect(exchange.reply.isOpen).toBe(false);
    await exchange.clock.advance(1);
    expect([exchange.reply.head?.status, exchange.reply.text]).toEqual([200, '']);
  });

  it.each([
    ['the first chunk comes', 100],
    ['it has gone out alone', 2 * HEAD_ALONE_AFTER_MS],
  ])('goes out once, whatever comes after: %s', async (_what, firstChunkAfterMs) => {
    streamBegins();
    await exchange.clock.advance(firstChunkAfterMs);
    for (const text of [messageStart(), textDelta('Hello')]) {
      chunk(text);
      await exchange.clock.advance(2 * HEAD_ALONE_AFTER_MS);
    }
    expect(exchange.reply.text).toBe(messageStart() + textDelta('Hello'));
  });

  it('goes out with a first chunk that is only a piece of message_start', () => {
    streamBegins();
    chunk(messageStart().slice(0, 20));
    expect(exchange.reply.text).toBe(messageStart().slice(0, 20));
  });

  it.each(['upstream_broken', 'upstream_timeout'] as const)(
    'that waits when the upstream fails never goes out: %s',
    async (code) => {
      streamBegins();
      await exchange.clock.advance(HEAD_ALONE_AFTER_MS - 1);
      expect(await finish({ kind: 'failed', code })).toEqual({ kind: 'refused', refusal: { code } });
      await exchange.clock.advance(HEAD_ALONE_AFTER_MS);
      expect([exchange.reply.isOpen, exchange.openStreams, exchange.clock.pending]).toEqual([false, 0, 0]);
    },
  );

  it('that has gone out alone is followed by an error frame and a cut when the upstream breaks', async () => {
    streamBegins();
    await exchange.clock.advance(HEAD_ALONE_AFTER_MS);
    expect(await finish(BROKEN)).toMatchObject({ kind: 'answered', isStream: true, end: 'truncated' });
    expect(exchange.reply.text).toMatch(/^event: error\ndata: .*\n\n$/);
    expect(exchange.reply.ending).toBe('cut');
  });

  it('goes out where the upstream ends properly without a byte, for the error frame and the cut', async () => {
    streamBegins();
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', end: 'truncated' });
    expect(exchange.reply.text).toMatch(/^event: error\ndata: .*\n\n$/);
    expect(exchange.reply.ending).toBe('cut');
  });

  it('never goes out to a caller that left while it waited: the exchange is abandoned', async () => {
    streamBegins();
    exchange.context.leave();
    expect(await finish(ABORTED)).toEqual({ kind: 'abandoned' });
    await exchange.clock.advance(HEAD_ALONE_AFTER_MS);
    expect([exchange.reply.isOpen, exchange.openStreams, exchange.clock.pending]).toEqual([false, 0, 0]);
  });
});

describe('the head of what is no stream', () => {
  it('of a JSON message waits until the message is whole, however long that takes', async () => {
    jsonBegins();
    chunk('{"type":');
    await exchange.clock.advance(60_000);
    expect(exchange.reply.isOpen).toBe(false);
    chunk('"message"}');
    expect(exchange.reply.isOpen).toBe(false);
    await finish(ENDED);
    expect([exchange.reply.head?.status, exchange.reply.text]).toEqual([200, '{"type":"message"}']);
  });

  it.each<[Operation, number]>([
    ['messages', 400],
    ['messages', 429],
    ['messages', 529],
    ['count_tokens', 200],
    ['models', 200],
    ['other', 200],
  ])('goes out at once to %s with status %d', (operation, status) => {
    renew({ request: { operation } });
    jsonBegins(status);
    expect(exchange.reply.head?.status).toBe(status);
    chunk('{"type":');
    expect(exchange.reply.text).toBe('{"type":');
  });

  it('goes out at once to an event stream that is an error', () => {
    head(529, { 'content-type': 'text/event-stream' });
    expect(exchange.reply.head?.status).toBe(529);
  });
});

describe('the headers', () => {
  const headersOf = async (headers: Record<string, string>, hideRateLimits = false) => {
    renew({ hideRateLimits });
    head(200, headers);
    await finish(ENDED);
    return exchange.reply.head?.headers ?? {};
  };

  it('keep what is the caller’s business and lose what is the hop’s', async () => {
    const own = {
      'request-id': 'req_1',
      'retry-after': '3',
      'x-should-retry': 'true',
      'anthropic-ratelimit-tokens-limit': '9',
    };
    expect(await headersOf({ ...own, connection: 'keep-alive', 'transfer-encoding': 'chunked' })).toMatchObject(own);
    expect(await headersOf({ connection: 'keep-alive' })).not.toHaveProperty('connection');
  });

  it('say nothing of a shared quota', async () => {
    const headers = await headersOf({ 'anthropic-ratelimit-tokens-limit': '9', 'request-id': 'req_1' }, true);
    expect(headers).toHaveProperty('request-id');
    expect(Object.keys(headers).filter((name) => name.startsWith('anthropic-'))).toEqual([]);
  });

  it('get an id, the cache’s result and the times, and nothing else', async () => {
    const headers = await headersOf({});
    expect(Object.keys(headers).sort()).toEqual(['server-timing', 'x-slipstream-cache', 'x-slipstream-id']);
    expect(headers).toMatchObject({ 'x-slipstream-id': 'slip_1', 'x-slipstream-cache': CACHE_HEADER });
  });

  it('tell queue, hold, upstream and own time apart', async () => {
    exchange.context.timings.queueMs = 25;
    exchange.context.timings.holdMs = 15;
    await exchange.clock.advance(50);
    exchange.context.timings.upstreamSentAtMs = exchange.clock.nowMs();
    await exchange.clock.advance(200.25);
    head(429);
    const timing = 'queue;dur=25.0, hold;dur=15.0, upstream;dur=200.3, overhead;dur=10.0';
    expect(exchange.reply.head?.headers['server-timing']).toBe(timing);
  });

  it.each([
    ['a stream', wholeStream(), () => streamBegins()],
    ['a JSON message', JSON.stringify(message()), () => jsonBegins()],
  ])('do not count to the upstream’s time what the head of %s waited for', async (_what, text, begin) => {
    exchange.context.timings.upstreamSentAtMs = exchange.clock.nowMs();
    await exchange.clock.advance(70);
    begin();
    await exchange.clock.advance(130);
    chunk(text);
    await finish(ENDED);
    const timing = 'queue;dur=0.0, hold;dur=0.0, upstream;dur=70.0, overhead;dur=0.0';
    expect(exchange.reply.head?.headers['server-timing']).toBe(timing);
  });
});
