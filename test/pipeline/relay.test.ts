import { describe, expect, it } from 'vitest';
import { apiError, BLOCK_STOP, messageStart, streamHead, streamTail, wholeStream } from '../support/claude-answers.ts'; // prettier-ignore
import { ABORTED, BROKEN, ENDED, useRelay } from './relay-under-test.ts';
import { usageOf } from './scripted.ts';

const PING = 'event: ping\ndata: {"type": "ping"}\n\n';
const SILENCE_MS = 15_000;

const exchange = useRelay();
const { streamBegins, jsonBegins, head, chunk, finish, renew } = exchange;

describe('a stream', () => {
  it('passes byte for byte and ends properly when it is whole', async () => {
    streamBegins();
    for (const letter of wholeStream()) chunk(letter);
    const outcome = await finish(ENDED);
    expect(exchange.reply.text).toBe(wholeStream());
    expect(exchange.reply.ending).toBe('ended');
    expect(outcome).toEqual({
      kind: 'answered',
      status: 200,
      isStream: true,
      end: 'complete',
      usage: usageOf({ uncachedInput: 12, output: 7 }),
      model: 'claude-sonnet-5',
      failure: null,
    });
    expect(exchange.clock.pending).toBe(0);
  });

  it('is open from its head to its end and not longer', async () => {
    streamBegins();
    expect(exchange.openStreams).toBe(1);
    await finish(BROKEN);
    expect(exchange.openStreams).toBe(0);
    expect(exchange.clock.pending).toBe(0);
  });

  it('times its first content, not its message_start', async () => {
    await exchange.clock.advance(100);
    streamBegins();
    chunk(messageStart());
    await exchange.clock.advance(50);
    expect(exchange.context.timings.firstContentAtMs).toBeNull();
    chunk(streamHead().slice(messageStart().length));
    await exchange.clock.advance(50);
    chunk(streamTail());
    await finish(ENDED);
    expect(exchange.context.timings).toMatchObject({ upstreamHeadAtMs: 100, firstContentAtMs: 150, firstEventMs: 0 });
  });

  it('loses the length its upstream announced: pings may make it longer', () => {
    head(200, { 'content-type': 'text/event-stream', 'content-length': '999' });
    chunk(streamHead());
    expect(exchange.reply.isOpen).toBe(true);
    expect(exchange.reply.head?.headers).not.toHaveProperty('content-length');
  });
});

describe('silence in a stream', () => {
  it('is filled with a ping every 15 s, before the first event too', async () => {
    streamBegins();
    await exchange.clock.advance(SILENCE_MS - 1);
    expect(exchange.reply.text).toBe('');
    await exchange.clock.advance(1);
    expect(exchange.reply.text).toBe(PING);
    await exchange.clock.advance(2 * SILENCE_MS);
    expect(exchange.reply.text).toBe(PING.repeat(3));
  });

  it('begins anew with every byte', async () => {
    streamBegins();
    await exchange.clock.advance(SILENCE_MS - 1);
    chunk(streamHead());
    await exchange.clock.advance(SILENCE_MS - 1);
    expect(exchange.reply.text).toBe(streamHead());
    await exchange.clock.advance(1);
    expect(exchange.reply.text).toBe(streamHead() + PING);
  });

  it.each([
    ['an event', 'event: content_block_delta\nda'],
    ['a line', 'event: content_block'],
    ['an event whose data is whole', 'event: ping\ndata: {}\n'],
  ])('is left alone inside %s, however long it lasts', async (_what, half) => {
    streamBegins();
    chunk(streamHead() + half);
    await exchange.clock.advance(10 * SILENCE_MS);
    expect(exchange.reply.text).toBe(streamHead() + half);
  });

  it('is filled again once the event is over', async () => {
    streamBegins();
    chunk(`${streamHead()}event: ping\n`);
    await exchange.clock.advance(3 * SILENCE_MS + 7);
    chunk('data: {}\n\n');
    await exchange.clock.advance(SILENCE_MS);
    expect(exchange.reply.text).toBe(`${streamHead()}event: ping\ndata: {}\n\n${PING}`);
  });

  it('is not filled in a JSON answer, nor in an error', async () => {
    for (const begin of [() => jsonBegins(), () => head(529, { 'content-type': 'text/event-stream' })]) {
      renew();
      begin();
      await exchange.clock.advance(10 * SILENCE_MS);
      expect([exchange.reply.text, exchange.clock.pending]).toEqual(['', 0]);
    }
  });

  it('is over when the exchange is', async () => {
    streamBegins();
    chunk(wholeStream());
    await finish(ENDED);
    await exchange.clock.advance(10 * SILENCE_MS);
    expect(exchange.reply.text).toBe(wholeStream());
  });
});

describe('a stream that ends behind content and before message_stop', () => {
  const errorOf = (text: string): unknown => JSON.parse(text.slice(text.lastIndexOf('data: ') + 'data: '.length));

  it.each([
    ['ends', ENDED, 'api_error', 'stream_error'],
    ['breaks', BROKEN, 'api_error', 'network'],
    ['falls silent for too long', { kind: 'failed', code: 'upstream_timeout' } as const, 'timeout_error', 'timeout'],
  ])('gets an error frame and is cut, when the upstream %s between events', async (_what, end, type, failure) => {
    streamBegins();
    chunk(streamHead());
    expect(await finish(end)).toMatchObject({ kind: 'answered', end: 'truncated', failure: { kind: failure } });
    const added = exchange.reply.text.slice(streamHead().length);
    expect(added).toMatch(/^event: error\ndata: .*\n\n$/);
    expect(errorOf(added)).toMatchObject({ type: 'error', error: { type }, request_id: 'slip_1' });
    expect([exchange.reply.ending, exchange.clock.pending]).toEqual(['cut', 0]);
  });

  it('is cut without a word inside an event', async () => {
    streamBegins();
    chunk(`${streamHead()}event: content_block_stop\n`);
    expect(await finish(BROKEN)).toMatchObject({ end: 'truncated' });
    expect(exchange.reply.text).toBe(`${streamHead()}event: content_block_stop\n`);
    expect(exchange.reply.ending).toBe('cut');
  });

  it('reports what it had used by then', async () => {
    streamBegins();
    chunk(streamHead({ input_tokens: 5, cache_read_input_tokens: 700, output_tokens: 2 }));
    const usage = usageOf({ uncachedInput: 5, cacheRead: 700, output: 2 });
    expect(await finish(BROKEN)).toMatchObject({ usage, model: 'claude-sonnet-5' });
  });
});

describe('a stream with an error event of the upstream’s behind content', () => {
  const failing = `${streamHead()}event: error\ndata: ${JSON.stringify(apiError('overloaded_error'))}\n\n`;

  it('is relayed as it came and ends properly', async () => {
    streamBegins();
    chunk(failing);
    expect(await finish(ENDED)).toMatchObject({ end: 'upstream_error', failure: { kind: 'overloaded' } });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual([failing, 'ended']);
  });

  it('gets no second error when the connection breaks behind it', async () => {
    streamBegins();
    chunk(failing);
    expect(await finish(BROKEN)).toMatchObject({ end: 'upstream_error' });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual([failing, 'cut']);
  });
});

it('a stream that breaks behind message_stop gets no error frame: the message is whole', async () => {
  streamBegins();
  chunk(wholeStream());
  expect(await finish(BROKEN)).toMatchObject({ end: 'truncated' });
  expect([exchange.reply.text, exchange.reply.ending]).toEqual([wholeStream(), 'cut']);
});

describe('a caller that leaves', () => {
  it('mid-stream is an abort, with the usage known by then', async () => {
    streamBegins();
    chunk(streamHead());
    exchange.context.leave();
    expect(await finish(ABORTED)).toMatchObject({ end: 'client_abort', usage: { uncachedInput: 12 } });
    expect(exchange.reply.text).toBe(streamHead());
  });

  it('before the head has abandoned the exchange', async () => {
    exchange.context.leave();
    expect(await finish(ABORTED)).toMatchObject({ kind: 'abandoned', usage: null });
  });

  it('in the moment in which the upstream fails has abandoned the exchange: nobody is there to be told', async () => {
    exchange.context.leave();
    expect(await finish(BROKEN)).toMatchObject({ kind: 'abandoned' });
  });

  it('behind message_start and before content has abandoned it, with the usage known by then', async () => {
    streamBegins();
    chunk(messageStart({ input_tokens: 5, output_tokens: 2 }));
    exchange.context.leave();
    const usage = usageOf({ uncachedInput: 5, output: 2 });
    expect(await finish(ABORTED)).toEqual({ kind: 'abandoned', usage, model: 'claude-sonnet-5' });
    expect([exchange.reply.isOpen, exchange.clock.pending]).toEqual([false, 0]);
  });
});

describe('no head', () => {
  it.each([
    ['upstream_unreachable', 'network'],
    ['upstream_timeout', 'timeout'],
    ['upstream_broken', 'network'],
  ] as const)('is a refusal, %s, and the upstream’s failure: %s', async (code, kind) => {
    const failure = { kind, retryAfterMs: null, shouldRetry: null };
    expect(await finish({ kind: 'failed', code })).toEqual({ kind: 'refused', refusal: { code }, failure });
    expect(exchange.reply.isOpen).toBe(false);
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('%d reaches nobody: it is refused, and its body swallowed', async (status) => {
    head(status, { location: 'https://elsewhere.example/' });
    expect(chunk('moved')).toBe(true);
    expect(await finish(ENDED)).toMatchObject({ kind: 'refused', refusal: { code: 'upstream_redirected' } });
    expect(exchange.reply.isOpen).toBe(false);
  });

  it('is not what 304 is', async () => {
    head(304, { etag: '"1"' });
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', status: 304, end: 'complete' });
  });
});

it('a block that stops before it starts changes nothing', async () => {
  streamBegins();
  chunk(BLOCK_STOP + streamTail());
  expect(await finish(ENDED)).toMatchObject({ end: 'complete', usage: null });
});
