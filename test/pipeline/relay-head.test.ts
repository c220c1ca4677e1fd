import { describe, expect, it } from 'vitest';
import type { Operation } from '../../src/core/exchange.ts';
import { PING_FRAME } from '../../src/ingress/anthropic-frames.ts';
import { BLOCK_START, message, MESSAGE_STOP, messageDelta, messageStart, PING, textDelta, wholeStream } from '../support/claude-answers.ts'; // prettier-ignore
import { ABORTED, BROKEN, CACHE_HEADER, ENDED, useRelay } from './relay-under-test.ts';

/** When the head of an answer goes out, and what stands in it. */

const SILENCE_MS = 15_000;
const ADDED_PING = new TextDecoder().decode(PING_FRAME);
const MAX_HELD_BYTES = 256 * 1024;

const exchange = useRelay();
const { streamBegins, jsonBegins, head, chunk, finish, renew } = exchange;

describe('the head of a stream', () => {
  it('waits for the first content, however much comes before it, and goes out with all of that', async () => {
    streamBegins();
    for (const text of [messageStart(), PING, BLOCK_START.slice(0, 10)]) {
      await exchange.clock.advance(SILENCE_MS - 1);
      expect(chunk(text)).toBe(true);
      expect(exchange.reply.isOpen).toBe(false);
    }
    chunk(BLOCK_START.slice(10));
    expect(exchange.reply.head?.status).toBe(200);
    expect(exchange.reply.text).toBe(messageStart() + PING + BLOCK_START);
  });

  it('goes out after 15 s without a byte, with what there is and a ping, and not a moment sooner', async () => {
    await exchange.clock.advance(1_000);
    streamBegins();
    await exchange.clock.advance(3_000);
    chunk(messageStart());
    await exchange.clock.advance(SILENCE_MS - 1);
    expect(exchange.reply.isOpen).toBe(false);
    await exchange.clock.advance(1);
    expect([exchange.reply.head?.status, exchange.reply.text]).toEqual([200, messageStart() + ADDED_PING]);
  });

  it('does not go out for silence within an event: no ping fits there', async () => {
    streamBegins();
    chunk(messageStart().slice(0, 20));
    await exchange.clock.advance(10 * SILENCE_MS);
    expect(exchange.reply.isOpen).toBe(false);
  });

  it('goes out at the byte beyond 256 KiB without any content', () => {
    const comment = `: ${'x'.repeat(MAX_HELD_BYTES - messageStart().length - 4)}\n\n`;
    streamBegins();
    chunk(messageStart() + comment);
    expect(exchange.reply.isOpen).toBe(false);
    chunk(':');
    expect(exchange.reply.text === `${messageStart()}${comment}:`).toBe(true);
  });

  it('goes out where the message is whole without a word of content', async () => {
    const empty = messageStart() + messageDelta(0) + MESSAGE_STOP;
    streamBegins();
    chunk(empty);
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', end: 'complete', failure: null });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual([empty, 'ended']);
  });

  it('goes out once, and all that comes behind it as it comes', async () => {
    streamBegins();
    await exchange.clock.advance(SILENCE_MS);
    for (const text of [messageStart(), BLOCK_START, textDelta('Hello')]) {
      chunk(text);
      await exchange.clock.advance(100);
    }
    expect(exchange.reply.text).toBe(ADDED_PING + messageStart() + BLOCK_START + textDelta('Hello'));
  });

  it.each([
    ['breaks', BROKEN, 'upstream_broken', 'network'],
    ['is too slow', { kind: 'failed', code: 'upstream_timeout' }, 'upstream_timeout', 'timeout'],
    ['ends early', ENDED, 'upstream_broken', 'network'],
  ] as const)('never goes out where the upstream %s before content', async (_what, end, code, kind) => {
    for (const text of ['', messageStart(), messageStart() + PING + BLOCK_START.slice(0, 30)]) {
      renew();
      streamBegins();
      chunk(text);
      const outcome = await finish(end);
      expect(outcome).toMatchObject({ kind: 'refused', refusal: { code }, failure: { kind } });
      await exchange.clock.advance(SILENCE_MS);
      expect([exchange.reply.isOpen, exchange.openStreams, exchange.clock.pending]).toEqual([false, 0, 0]);
    }
  });

  it('that went out for silence is followed by an error frame and a cut when the upstream breaks', async () => {
    streamBegins();
    await exchange.clock.advance(SILENCE_MS);
    expect(await finish(BROKEN)).toMatchObject({ kind: 'answered', isStream: true, end: 'truncated' });
    expect(exchange.reply.text.slice(ADDED_PING.length)).toMatch(/^event: error\ndata: .*\n\n$/);
    expect(exchange.reply.ending).toBe('cut');
  });

  it('never goes out to a caller that left while it waited: the exchange is abandoned', async () => {
    streamBegins();
    exchange.context.leave();
    expect(await finish(ABORTED)).toMatchObject({ kind: 'abandoned' });
    await exchange.clock.advance(SILENCE_MS);
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

  it.each<Operation>(['count_tokens', 'models', 'other'])('goes out at once to %s', (operation) => {
    renew({ request: { operation } });
    jsonBegins();
    expect(exchange.reply.head?.status).toBe(200);
    chunk('{"type":');
    expect(exchange.reply.text).toBe('{"type":');
  });

  it.each<[Operation, number]>([
    ['messages', 400],
    ['messages', 529],
    ['count_tokens', 429],
    ['models', 404],
    ['other', 500],
  ])('waits for the whole of an error, of %s with status %d', (operation, status) => {
    renew({ request: { operation } });
    jsonBegins(status);
    chunk('{"type":"error"}');
    expect(exchange.reply.isOpen).toBe(false);
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

  const timingOf = async (): Promise<unknown> => {
    chunk(JSON.stringify(message()));
    await finish(ENDED);
    return exchange.reply.head?.headers['server-timing'];
  };

  it('tell queue, hold, upstream and own time apart', async () => {
    Object.assign(exchange.context.timings, {
      queueMs: 25,
      holdMs: 15,
      firstSentAtMs: 50,
      upstreamSentAtMs: 50,
      overheadMs: 10,
    });
    await exchange.clock.advance(250.25);
    jsonBegins();
    const timing = 'queue;dur=25.0, hold;dur=15.0, upstream;dur=200.3, overhead;dur=10.0';
    expect(await timingOf()).toBe(timing);
  });

  it('tell what went by with calls that failed, from the first to the one that was answered', async () => {
    Object.assign(exchange.context.timings, { firstSentAtMs: 20, upstreamSentAtMs: 1_620, overheadMs: 20 });
    await exchange.clock.advance(1_700);
    jsonBegins();
    const timing = 'queue;dur=0.0, hold;dur=0.0, upstream;dur=80.0, overhead;dur=20.0, retry;dur=1600.0';
    expect(await timingOf()).toBe(timing);
  });

  it.each([
    ['a stream', wholeStream(), () => streamBegins()],
    ['a JSON message', JSON.stringify(message()), () => jsonBegins()],
  ])('do not count to the upstream’s time what the head of %s waited for', async (_what, text, begin) => {
    Object.assign(exchange.context.timings, { firstSentAtMs: 0, upstreamSentAtMs: 0 });
    await exchange.clock.advance(70);
    begin();
    await exchange.clock.advance(130);
    chunk(text);
    await finish(ENDED);
    const timing = 'queue;dur=0.0, hold;dur=0.0, upstream;dur=70.0, overhead;dur=0.0';
    expect(exchange.reply.head?.headers['server-timing']).toBe(timing);
  });
});
