import { describe, expect, it } from 'vitest';
import { apiError, BLOCK_STOP, messageStart, streamHead, streamTail, textDelta, wholeStream } from '../support/claude-answers.ts'; // prettier-ignore
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
    });
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
    chunk(messageStart());
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
    chunk(messageStart());
    await exchange.clock.advance(SILENCE_MS - 1);
    expect(exchange.reply.text).toBe(messageStart());
    await exchange.clock.advance(1);
    expect(exchange.reply.text).toBe(messageStart() + PING);
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
    chunk('event: ping\n');
    await exchange.clock.advance(3 * SILENCE_MS + 7);
    chunk('data: {}\n\n');
    await exchange.clock.advance(SILENCE_MS);
    expect(exchange.reply.text).toBe(`event: ping\ndata: {}\n\n${PING}`);
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

describe('a caller that reads slowly', () => {
  it('pauses the upstream at the chunk that was too much, and resumes it once when it has drained', () => {
    streamBegins();
    expect(chunk(streamHead())).toBe(true);
    exchange.reply.fill();
    expect(chunk(textDelta('more'))).toBe(false);
    expect([exchange.reply.draining, exchange.resumed]).toEqual([1, 0]);
    exchange.reply.drain();
    expect(exchange.resumed).toBe(1);
    expect(chunk(textDelta('and more'))).toBe(true);
  });
});

describe('a stream that ends before message_stop', () => {
  const errorOf = (text: string): unknown => JSON.parse(text.slice(text.lastIndexOf('data: ') + 'data: '.length));

  it.each([
    ['ends', ENDED, 'api_error'],
    ['breaks', BROKEN, 'api_error'],
    ['falls silent for too long', { kind: 'failed', code: 'upstream_timeout' } as const, 'timeout_error'],
  ])('gets an error frame and is cut, when the upstream %s between events', async (_what, end, type) => {
    streamBegins();
    chunk(streamHead());
    expect(await finish(end)).toMatchObject({ kind: 'answered', end: 'truncated' });
    const added = exchange.reply.text.slice(streamHead().length);
    expect(added).toMatch(/^event: error\ndata: .*\n\n$/);
    expect(errorOf(added)).toMatchObject({ type: 'error', error: { type }, request_id: 'slip_1' });
    expect(exchange.reply.ending).toBe('cut');
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
    chunk(messageStart({ input_tokens: 5, cache_read_input_tokens: 700, output_tokens: 2 }));
    const usage = usageOf({ uncachedInput: 5, cacheRead: 700, output: 2 });
    expect(await finish(BROKEN)).toMatchObject({ usage, model: 'claude-sonnet-5' });
  });

  it('has no usage where it ended before message_start', async () => {
    streamBegins();
    expect(await finish(ENDED)).toMatchObject({ end: 'truncated', usage: null, model: null });
  });
});

describe('a stream with an error event of the upstream’s', () => {
  const failing = `${streamHead()}event: error\ndata: ${JSON.stringify(apiError('overloaded_error'))}\n\n`;

  it('is relayed as it came and ends properly', async () => {
    streamBegins();
    chunk(failing);
    expect(await finish(ENDED)).toMatchObject({ end: 'upstream_error' });
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
    expect(await finish(ABORTED)).toEqual({ kind: 'abandoned' });
  });
});

describe('no head', () => {
  it.each(['upstream_unreachable', 'upstream_timeout', 'upstream_broken'] as const)(
    'is a refusal: %s',
    async (code) => {
      expect(await finish({ kind: 'failed', code })).toEqual({ kind: 'refused', refusal: { code } });
      expect(exchange.reply.isOpen).toBe(false);
    },
  );
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('%d reaches nobody: it is refused, and its body swallowed', async (status) => {
    head(status, { location: 'https://elsewhere.example/' });
    expect(chunk('moved')).toBe(true);
    expect(await finish(ENDED)).toEqual({ kind: 'refused', refusal: { code: 'upstream_redirected' } });
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
