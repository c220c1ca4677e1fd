import { describe, expect, it } from 'vitest';
import { apiError, BLOCK_START, message, messageStart, PING, streamHead, streamTail, textDelta, wholeStream } from '../support/claude-answers.ts'; // prettier-ignore
import { ABORTED, BROKEN, CACHE_HEADER, ENDED, MEBIBYTE, useRelay } from './relay-under-test.ts';
import { usageOf } from './scripted.ts';

/** What the relay asks of the layer that watches an answer, and tells it. */

const exchange = useRelay();
const { streamBegins, jsonBegins, head, chunk, finish, renew } = exchange;

const WIRE_USAGE = { input_tokens: 5, cache_read_input_tokens: 700, output_tokens: 2 };
const USAGE = usageOf({ uncachedInput: 5, cacheRead: 700, output: 2 });
const MESSAGE = JSON.stringify(message(WIRE_USAGE));

describe('x-slipstream-cache', () => {
  it('is asked for once per stream, at its first content, with the usage of its message_start', async () => {
    streamBegins();
    chunk(messageStart(WIRE_USAGE) + PING);
    expect(exchange.watched.cacheHeaders).toEqual([]);
    chunk(BLOCK_START);
    expect(exchange.watched.cacheHeaders).toEqual([USAGE]);
    chunk(textDelta('Hello') + streamTail(99));
    await exchange.clock.advance(60_000);
    await finish(ENDED);
    expect(exchange.watched.cacheHeaders).toEqual([USAGE]);
    expect(exchange.reply.head?.headers['x-slipstream-cache']).toBe(CACHE_HEADER);
  });

  it('is asked for without usage where a stream is silent before message_start, and not again when that comes', async () => {
    streamBegins();
    await exchange.clock.advance(15_000);
    expect(exchange.watched.cacheHeaders).toEqual([null]);
    chunk(wholeStream(WIRE_USAGE));
    await finish(ENDED);
    expect(exchange.watched.cacheHeaders).toEqual([null]);
  });

  it('is asked for with the usage of message_start where a stream falls silent behind it', async () => {
    streamBegins();
    chunk(messageStart(WIRE_USAGE));
    await exchange.clock.advance(15_000);
    expect(exchange.watched.cacheHeaders).toEqual([USAGE]);
  });

  it('is asked for only when an error that was held is sent', async () => {
    head(529);
    const outcome = await finish(ENDED);
    expect(exchange.watched.cacheHeaders).toEqual([]);
    if (outcome.kind === 'held') await outcome.send();
    expect(exchange.watched.cacheHeaders).toEqual([null]);
  });

  it('is asked for once per JSON message, with the usage that stands at its end', async () => {
    jsonBegins();
    chunk(MESSAGE.slice(0, 30));
    chunk(MESSAGE.slice(30));
    expect(exchange.watched.cacheHeaders).toEqual([]);
    await finish(ENDED);
    expect(exchange.watched.cacheHeaders).toEqual([USAGE]);
  });

  it('is asked for once and without usage where a JSON message is too long to be kept to its usage', async () => {
    jsonBegins();
    for (const text of [' '.repeat(MEBIBYTE), ' ', MESSAGE]) chunk(text);
    expect(await finish(ENDED)).toMatchObject({ usage: USAGE });
    expect(exchange.watched.cacheHeaders).toEqual([null]);
  });

  it.each(['count_tokens', 'models'] as const)('is asked for once and without usage for %s', async (operation) => {
    renew({ request: { operation } });
    jsonBegins();
    chunk(MESSAGE);
    await finish(ENDED);
    expect(exchange.watched.cacheHeaders).toEqual([null]);
  });

  it.each([
    ['a redirect', () => head(302), ENDED],
    ['a JSON message that breaks off', () => jsonBegins(), BROKEN],
    ['a stream that breaks before its first byte', () => streamBegins(), BROKEN],
    ['a stream that breaks before its content', () => (streamBegins(), chunk(messageStart())), BROKEN],
    ['an exchange without a head', () => {}, BROKEN],
    ['an abandoned exchange', () => jsonBegins(), ABORTED],
  ])('is not asked for by %s: nothing is sent', async (_what, begin, end) => {
    begin();
    await finish(end);
    expect(exchange.watched.cacheHeaders).toEqual([]);
  });
});

describe('content', () => {
  it('is told of once per stream, at its first content event, with the usage of message_start', async () => {
    streamBegins();
    chunk(PING + messageStart(WIRE_USAGE));
    await exchange.clock.advance(20_000); // the head goes out, which is no content
    chunk(PING);
    expect(exchange.watched.contents).toEqual([]);
    chunk(BLOCK_START);
    expect(exchange.watched.contents).toEqual([USAGE]);
    for (const text of ['Hello', 'and', 'more']) chunk(textDelta(text));
    chunk(streamTail(99));
    await finish(ENDED);
    expect(exchange.watched.contents).toEqual([USAGE]);
  });

  it('is told of once where a stream is one chunk, and where it is one chunk per byte', async () => {
    for (const pieces of [[wholeStream()], wholeStream().split('')]) {
      renew();
      streamBegins();
      for (const piece of pieces) chunk(piece);
      await finish(ENDED);
      expect(exchange.watched.contents).toHaveLength(1);
    }
  });

  it('is told of at the event itself, not when its stream breaks behind it', async () => {
    streamBegins();
    chunk(streamHead());
    expect(exchange.watched.contents).toHaveLength(1);
    await finish(BROKEN);
    expect(exchange.watched.contents).toHaveLength(1);
  });

  it.each([
    ['ends before it', messageStart(), ENDED],
    ['breaks before it', messageStart(), BROKEN],
    [
      'fails with an error event',
      `${messageStart()}event: error\ndata: ${JSON.stringify(apiError('api_error'))}\n\n`,
      ENDED,
    ],
  ])('is not told of where a stream %s', async (_what, text, end) => {
    streamBegins();
    chunk(text);
    await finish(end);
    expect(exchange.watched.contents).toEqual([]);
  });

  it.each([
    ['up to 1 MiB, with its usage', '', USAGE],
    ['beyond 1 MiB, with its usage', ' '.repeat(MEBIBYTE), USAGE],
    ['beyond 16 MiB, without usage', ' '.repeat(16 * MEBIBYTE), null],
  ])('is told of once, at its end, by a JSON message %s', async (_what, padding, usage) => {
    jsonBegins();
    chunk(padding);
    chunk(MESSAGE);
    expect(exchange.watched.contents).toEqual([]);
    await finish(ENDED);
    expect(exchange.watched.contents).toEqual([usage]);
  });

  it.each([
    ['a JSON message that breaks off', 'messages', 200, '', BROKEN],
    ['a long JSON message that breaks off', 'messages', 200, ' '.repeat(MEBIBYTE), BROKEN],
    ['a JSON message whose caller leaves', 'messages', 200, '', ABORTED],
    ['an error', 'messages', 529, '', ENDED],
    ['a token count', 'count_tokens', 200, '', ENDED],
  ] as const)('is not told of by %s', async (_what, operation, status, padding, end) => {
    renew({ request: { operation } });
    jsonBegins(status);
    chunk(padding);
    chunk(MESSAGE);
    await finish(end);
    expect(exchange.watched.contents).toEqual([]);
  });
});
