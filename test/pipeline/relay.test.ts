import { beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/exchange.ts';
import { createRelay, type Relay } from '../../src/pipeline/relay.ts';
import type { UpstreamEnd } from '../../src/pipeline/upstream.ts';
import { apiError, BLOCK_STOP, message, messageStart, streamHead, streamTail, textDelta, wholeStream } from '../support/claude-answers.ts'; // prettier-ignore
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { contextOf, requestOf, usageOf, type ScriptedContext } from './scripted.ts';

const PING = 'event: ping\ndata: {"type": "ping"}\n\n';
const SILENCE_MS = 15_000;
const ENDED: UpstreamEnd = { kind: 'ended' };
const BROKEN: UpstreamEnd = { kind: 'failed', code: 'upstream_broken' };

let clock: FakeClock;
let context: ScriptedContext;
let openStreams: number;
let resumed: number;
let relay: Relay;
beforeEach(() => {
  clock = createFakeClock();
  context = contextOf(clock);
  openStreams = 0;
  resumed = 0;
  relay = relayOf({});
});

function relayOf(part: Parameters<typeof requestOf>[0], hideRateLimits = false): Relay {
  return createRelay(requestOf(part), context, {
    clock,
    hideRateLimits,
    onOpenStreams: (by) => {
      openStreams += by;
    },
  });
}

function head(status: number, headers: Record<string, string>): void {
  relay.head({ status, headers }, { resume: () => void resumed++ });
}

const streamBegins = (): void => head(200, { 'content-type': 'text/event-stream; charset=utf-8' });
const jsonBegins = (status = 200): void => head(status, { 'content-type': 'application/json' });
const chunk = (text: string): boolean => relay.chunk(new TextEncoder().encode(text));

describe('a stream', () => {
  it('passes byte for byte and ends properly when it is whole', async () => {
    streamBegins();
    for (const letter of wholeStream()) chunk(letter);
    const outcome = await relay.finish(ENDED);
    expect(context.reply.text).toBe(wholeStream());
    expect(context.reply.ending).toBe('ended');
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
    expect(openStreams).toBe(1);
    await relay.finish(BROKEN);
    expect(openStreams).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('times its first content, not its message_start', async () => {
    await clock.advance(100);
    streamBegins();
    chunk(messageStart());
    await clock.advance(50);
    expect(context.timings.firstContentAtMs).toBeNull();
    chunk(streamHead().slice(messageStart().length));
    await clock.advance(50);
    chunk(streamTail());
    await relay.finish(ENDED);
    expect(context.timings).toMatchObject({ upstreamHeadAtMs: 100, firstContentAtMs: 150, firstEventMs: 0 });
  });

  it('loses the length its upstream announced: pings may make it longer', () => {
    head(200, { 'content-type': 'text/event-stream', 'content-length': '999' });
    expect(context.reply.head?.headers).not.toHaveProperty('content-length');
  });
});

describe('silence in a stream', () => {
  it('is filled with a ping every 15 s, before the first event too', async () => {
    streamBegins();
    await clock.advance(SILENCE_MS - 1);
    expect(context.reply.text).toBe('');
    await clock.advance(1);
    expect(context.reply.text).toBe(PING);
    await clock.advance(2 * SILENCE_MS);
    expect(context.reply.text).toBe(PING.repeat(3));
  });

  it('begins anew with every byte', async () => {
    streamBegins();
    await clock.advance(SILENCE_MS - 1);
    chunk(messageStart());
    await clock.advance(SILENCE_MS - 1);
    expect(context.reply.text).toBe(messageStart());
    await clock.advance(1);
    expect(context.reply.text).toBe(messageStart() + PING);
  });

  it.each([
    ['an event', 'event: content_block_delta\nda'],
    ['a line', 'event: content_block'],
    ['an event whose data is whole', 'event: ping\ndata: {}\n'],
  ])('is left alone inside %s, however long it lasts', async (_what, half) => {
    streamBegins();
    chunk(streamHead() + half);
    await clock.advance(10 * SILENCE_MS);
    expect(context.reply.text).toBe(streamHead() + half);
  });

  it('is filled again once the event is over', async () => {
    streamBegins();
    chunk('event: ping\n');
    await clock.advance(3 * SILENCE_MS + 7);
    chunk('data: {}\n\n');
    await clock.advance(SILENCE_MS);
    expect(context.reply.text).toBe(`event: ping\ndata: {}\n\n${PING}`);
  });

  it('is not filled in a JSON answer, nor in an error', async () => {
    for (const begin of [jsonBegins, () => head(529, { 'content-type': 'text/event-stream' })]) {
      context = contextOf(clock);
      relay = relayOf({});
      begin();
      await clock.advance(10 * SILENCE_MS);
      expect([context.reply.text, clock.pending]).toEqual(['', 0]);
    }
  });

  it('is over when the exchange is', async () => {
    streamBegins();
    chunk(wholeStream());
    await relay.finish(ENDED);
    await clock.advance(10 * SILENCE_MS);
    expect(context.reply.text).toBe(wholeStream());
  });
});

describe('a caller that reads slowly', () => {
  it('pauses the upstream at the chunk that was too much, and resumes it once when it has drained', () => {
    streamBegins();
    expect(chunk(streamHead())).toBe(true);
    context.reply.fill();
    expect(chunk(textDelta('more'))).toBe(false);
    expect([context.reply.draining, resumed]).toEqual([1, 0]);
    context.reply.drain();
    expect(resumed).toBe(1);
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
    expect(await relay.finish(end)).toMatchObject({ kind: 'answered', end: 'truncated' });
    const added = context.reply.text.slice(streamHead().length);
    expect(added).toMatch(/^event: error\ndata: .*\n\n$/);
    expect(errorOf(added)).toMatchObject({ type: 'error', error: { type }, request_id: 'slip_1' });
    expect(context.reply.ending).toBe('cut');
  });

  it('is cut without a word inside an event', async () => {
    streamBegins();
    chunk(`${streamHead()}event: content_block_stop\n`);
    expect(await relay.finish(BROKEN)).toMatchObject({ end: 'truncated' });
    expect(context.reply.text).toBe(`${streamHead()}event: content_block_stop\n`);
    expect(context.reply.ending).toBe('cut');
  });

  it('reports what it had used by then', async () => {
    streamBegins();
    chunk(messageStart({ input_tokens: 5, cache_read_input_tokens: 700, output_tokens: 2 }));
    const usage = usageOf({ uncachedInput: 5, cacheRead: 700, output: 2 });
    expect(await relay.finish(BROKEN)).toMatchObject({ usage, model: 'claude-sonnet-5' });
  });

  it('has no usage where it ended before message_start', async () => {
    streamBegins();
    expect(await relay.finish(ENDED)).toMatchObject({ end: 'truncated', usage: null, model: null });
  });
});

describe('a stream with an error event of the upstream’s', () => {
  const failing = `${streamHead()}event: error\ndata: ${JSON.stringify(apiError('overloaded_error'))}\n\n`;

  it('is relayed as it came and ends properly', async () => {
    streamBegins();
    chunk(failing);
    expect(await relay.finish(ENDED)).toMatchObject({ end: 'upstream_error' });
    expect([context.reply.text, context.reply.ending]).toEqual([failing, 'ended']);
  });

  it('gets no second error when the connection breaks behind it', async () => {
    streamBegins();
    chunk(failing);
    expect(await relay.finish(BROKEN)).toMatchObject({ end: 'upstream_error' });
    expect([context.reply.text, context.reply.ending]).toEqual([failing, 'cut']);
  });
});

it('a stream that breaks behind message_stop gets no error frame: the message is whole', async () => {
  streamBegins();
  chunk(wholeStream());
  expect(await relay.finish(BROKEN)).toMatchObject({ end: 'truncated' });
  expect([context.reply.text, context.reply.ending]).toEqual([wholeStream(), 'cut']);
});

describe('a caller that leaves', () => {
  it('mid-stream is an abort, with the usage known by then', async () => {
    streamBegins();
    chunk(streamHead());
    context.leave();
    expect(await relay.finish({ kind: 'aborted' })).toMatchObject({
      end: 'client_abort',
      usage: { uncachedInput: 12 },
    });
    expect(context.reply.text).toBe(streamHead());
  });

  it('before the head has abandoned the exchange', async () => {
    context.leave();
    expect(await relay.finish({ kind: 'aborted' })).toEqual({ kind: 'abandoned' });
  });
});

describe('a JSON answer', () => {
  it('is relayed in its pieces and read for usage', async () => {
    const text = JSON.stringify(message({ input_tokens: 3, cache_read_input_tokens: 40, output_tokens: 9 }));
    jsonBegins();
    for (let at = 0; at < text.length; at += 50) chunk(text.slice(at, at + 50));
    expect(await relay.finish(ENDED)).toEqual({
      kind: 'answered',
      status: 200,
      isStream: false,
      end: 'complete',
      usage: usageOf({ uncachedInput: 3, cacheRead: 40, output: 9 }),
      model: 'claude-sonnet-5',
    });
    expect([context.reply.text, context.reply.ending, openStreams]).toEqual([text, 'ended', 0]);
  });

  it.each([
    ['an error', 'messages', 400],
    ['a token count', 'count_tokens', 200],
    ['a list of models', 'models', 200],
  ] as const)('is not read for usage where it is %s', async (_what, operation, status) => {
    relay = relayOf({ operation });
    jsonBegins(status);
    chunk(JSON.stringify(message()));
    expect(await relay.finish(ENDED)).toMatchObject({ status, usage: null, model: null });
  });

  it('beyond 16 MiB is relayed whole and not read', async () => {
    const [long, tail] = [' '.repeat(17 * 1024 * 1024), JSON.stringify(message())];
    jsonBegins();
    chunk(long);
    chunk(tail);
    expect(await relay.finish(ENDED)).toMatchObject({ end: 'complete', usage: null });
    expect(context.reply.text.length).toBe(long.length + tail.length);
  });

  it('that breaks off is cut, without an event in it', async () => {
    jsonBegins();
    chunk('{"type":"mess');
    expect(await relay.finish(BROKEN)).toMatchObject({ end: 'truncated' });
    expect([context.reply.text, context.reply.ending]).toEqual(['{"type":"mess', 'cut']);
  });
});

describe('the head', () => {
  const headersOf = (headers: Record<string, string>, hideRateLimits = false) => {
    context = contextOf(clock);
    relay = relayOf({}, hideRateLimits);
    head(200, headers);
    return context.reply.head?.headers ?? {};
  };

  it('keeps what is the caller’s business and loses what is the hop’s', () => {
    const own = {
      'request-id': 'req_1',
      'retry-after': '3',
      'x-should-retry': 'true',
      'anthropic-ratelimit-tokens-limit': '9',
    };
    expect(headersOf({ ...own, connection: 'keep-alive', 'transfer-encoding': 'chunked' })).toMatchObject(own);
    expect(headersOf({ connection: 'keep-alive' })).not.toHaveProperty('connection');
  });

  it('says nothing of a shared quota', () => {
    const headers = headersOf({ 'anthropic-ratelimit-tokens-limit': '9', 'request-id': 'req_1' }, true);
    expect(Object.keys(headers).filter((name) => name.startsWith('anthropic-'))).toEqual([]);
  });

  it('gets an id, the cache’s result and the times, and nothing else', () => {
    const names = Object.keys(headersOf({}));
    expect(names.sort()).toEqual(['server-timing', 'x-slipstream-cache', 'x-slipstream-id']);
  });

  it('tells queue, upstream and own time apart', async () => {
    context.timings.queueMs = 40;
    await clock.advance(50);
    context.timings.upstreamSentAtMs = clock.nowMs();
    await clock.advance(200.25);
    jsonBegins();
    expect(context.reply.head?.headers['server-timing']).toBe('queue;dur=40.0, upstream;dur=200.3, overhead;dur=10.0');
  });
});

describe('no head', () => {
  it.each(['upstream_unreachable', 'upstream_timeout', 'upstream_broken'] as const)(
    'is a refusal: %s',
    async (code) => {
      expect(await relay.finish({ kind: 'failed', code })).toEqual({ kind: 'refused', refusal: { code } });
      expect(context.reply.isOpen).toBe(false);
    },
  );
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('%d reaches nobody: it is refused, and its body swallowed', async (status) => {
    head(status, { location: 'https://elsewhere.example/' });
    expect(chunk('moved')).toBe(true);
    const outcome: Outcome = await relay.finish(ENDED);
    expect(outcome).toEqual({ kind: 'refused', refusal: { code: 'upstream_redirected' } });
    expect(context.reply.isOpen).toBe(false);
  });

  it('is not what 304 is', async () => {
    head(304, { etag: '"1"' });
    expect(await relay.finish(ENDED)).toMatchObject({ kind: 'answered', status: 304, end: 'complete' });
  });
});

it('a block that stops before it starts changes nothing', async () => {
  streamBegins();
  chunk(BLOCK_STOP + streamTail());
  expect(await relay.finish(ENDED)).toMatchObject({ end: 'complete', usage: null });
});
