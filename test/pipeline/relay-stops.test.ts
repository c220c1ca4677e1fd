import { describe, expect, it } from 'vitest';
import { message, messageStart, streamHead, streamTail, textDelta, wholeStream } from '../support/claude-answers.ts';
import { ABORTED, BROKEN, ENDED, MEBIBYTE, STREAM_IDLE_MS, useRelay } from './relay-under-test.ts';
import { usageOf } from './scripted.ts';

/** Exchanges that are over before their answer is, though their caller is there: readers that stall, processes that end. */

const exchange = useRelay();
const { streamBegins, jsonBegins, head, chunk, finish, renew } = exchange;

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

  it('pauses a plain answer too, and resumes it', () => {
    renew({ request: { operation: 'models' } });
    jsonBegins();
    exchange.reply.fill();
    expect(chunk('x')).toBe(false);
    exchange.reply.drain();
    expect(exchange.resumed).toBe(1);
  });

  it('resumes the upstream once, however many chunks came while it was behind', () => {
    streamBegins();
    chunk(streamHead());
    exchange.reply.fill();
    for (const text of ['more', 'and', 'more']) expect(chunk(textDelta(text))).toBe(false);
    exchange.reply.drain();
    expect(exchange.resumed).toBe(1);
  });

  it('pauses the upstream where the held head alone is too much for it', () => {
    streamBegins();
    exchange.reply.fill();
    expect(chunk(messageStart())).toBe(true);
    expect(chunk(streamHead().slice(messageStart().length))).toBe(false);
    exchange.reply.drain();
    expect(exchange.resumed).toBe(1);
  });

  it('gets no ping into what it has not read', async () => {
    streamBegins();
    chunk(streamHead());
    exchange.reply.fill();
    chunk(textDelta('more'));
    await exchange.clock.advance(STREAM_IDLE_MS - 1);
    expect(exchange.reply.text).toBe(streamHead() + textDelta('more'));
  });
});

describe('a caller that takes nothing within streamIdle', () => {
  const begins: [string, () => void][] = [
    ['a stream', () => (streamBegins(), chunk(streamHead()))],
    ['a long JSON message', () => (jsonBegins(), chunk(' '.repeat(MEBIBYTE)))],
    ['a long error', () => (head(529), chunk(' '.repeat(MEBIBYTE)))],
    ['a list of models', () => (renew({ request: { operation: 'models' } }), jsonBegins())],
  ];

  it.each(begins)('is cut from %s, and the exchange stopped', async (_what, begin) => {
    begin();
    exchange.reply.fill();
    expect(chunk(' ')).toBe(false);
    await exchange.clock.advance(STREAM_IDLE_MS - 1);
    expect(exchange.context.signal.aborted).toBe(false);
    await exchange.clock.advance(1);
    expect([exchange.context.signal.reason, exchange.reply.ending]).toEqual(['reader_stalled', 'dropped']);
    expect(await finish(ABORTED)).toMatchObject({ kind: 'answered', end: 'reader_stalled' });
    expect([exchange.reply.ending, exchange.clock.pending, exchange.openStreams]).toEqual(['dropped', 0, 0]);
  });

  it('is given its time anew whenever it has caught up', async () => {
    streamBegins();
    chunk(streamHead());
    for (let round = 0; round < 5; round++) {
      exchange.reply.fill();
      chunk(textDelta('more'));
      await exchange.clock.advance(STREAM_IDLE_MS - 1);
      exchange.reply.drain();
    }
    chunk(streamTail());
    expect(await finish(ENDED)).toMatchObject({ end: 'complete' });
    expect(exchange.clock.pending).toBe(0);
  });

  it('is not given more time by what the upstream still sends', async () => {
    streamBegins();
    chunk(streamHead());
    exchange.reply.fill();
    for (let part = 0; part < 6; part++) {
      chunk(textDelta('more'));
      await exchange.clock.advance(STREAM_IDLE_MS / 6);
    }
    expect(exchange.reply.ending).toBe('dropped');
    await finish(ABORTED);
  });

  it('is cut while the last bytes of a whole answer wait for it, with the usage of the whole', async () => {
    streamBegins();
    exchange.reply.lag();
    chunk(wholeStream());
    const outcome = finish(ENDED);
    await exchange.clock.advance(STREAM_IDLE_MS);
    const usage = usageOf({ uncachedInput: 12, output: 7 });
    expect(await outcome).toMatchObject({ kind: 'answered', end: 'reader_stalled', usage });
    expect([exchange.reply.ending, exchange.clock.pending]).toEqual(['dropped', 0]);
  });

  it('is given no more time by the end of the answer, and leaves no timer when it has read that', async () => {
    streamBegins();
    exchange.reply.lag();
    exchange.reply.fill();
    chunk(streamHead());
    await exchange.clock.advance(STREAM_IDLE_MS / 2);
    chunk(streamTail());
    const outcome = finish(ENDED);
    await exchange.clock.advance(STREAM_IDLE_MS / 2 - 1);
    expect([exchange.reply.ending, exchange.clock.pending]).toEqual(['ended', 1]);
    exchange.reply.drain();
    expect(await outcome).toMatchObject({ end: 'complete' });
    expect(exchange.clock.pending).toBe(0);
  });

  it('is cut while the last bytes of a broken stream wait for it', async () => {
    streamBegins();
    exchange.reply.lag();
    chunk(streamHead());
    const outcome = finish(BROKEN);
    await exchange.clock.advance(STREAM_IDLE_MS);
    await outcome;
    expect([exchange.reply.ending, exchange.clock.pending]).toEqual(['dropped', 0]);
  });

  it('may take its time over the last bytes as long as it takes them in time', async () => {
    streamBegins();
    exchange.reply.lag();
    chunk(wholeStream());
    const outcome = finish(ENDED);
    await exchange.clock.advance(STREAM_IDLE_MS - 1);
    exchange.reply.drain();
    expect(await outcome).toMatchObject({ end: 'complete' });
    expect(exchange.clock.pending).toBe(0);
  });
});

describe('a process that ends', () => {
  const drain = () => exchange.context.stop('draining');

  it('gives an open stream an error frame that says so, and cuts it', async () => {
    streamBegins();
    chunk(streamHead());
    drain();
    expect(await finish(ABORTED)).toMatchObject({ kind: 'answered', end: 'truncated', failure: null });
    const added = exchange.reply.text.slice(streamHead().length);
    expect(JSON.parse(added.slice('event: error\ndata: '.length))).toMatchObject({
      error: { type: 'overloaded_error', message: expect.stringContaining('shutting down') },
    });
    expect([exchange.reply.ending, exchange.clock.pending]).toEqual(['cut', 0]);
  });

  it('writes no frame into half an event', async () => {
    streamBegins();
    chunk(`${streamHead()}event: content_block_stop\n`);
    drain();
    expect(await finish(ABORTED)).toMatchObject({ end: 'truncated' });
    expect(exchange.reply.text).toBe(`${streamHead()}event: content_block_stop\n`);
  });

  it('leaves a stream alone that became whole in the same moment', async () => {
    streamBegins();
    chunk(wholeStream());
    drain();
    expect(await finish(ENDED)).toMatchObject({ end: 'complete' });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual([wholeStream(), 'ended']);
  });

  it.each<[string, () => unknown]>([
    ['a stream before its content', () => (streamBegins(), chunk(messageStart()))],
    ['half a JSON message', () => (jsonBegins(), chunk(JSON.stringify(message()).slice(0, 40)))],
    ['half an error', () => (head(529), chunk('{'))],
    ['no head', () => {}],
  ])('sends nothing of %s: its exchange is abandoned, to be refused', async (_what, begin) => {
    begin();
    drain();
    expect(await finish(ABORTED)).toMatchObject({ kind: 'abandoned' });
    expect([exchange.reply.isOpen, exchange.clock.pending]).toEqual([false, 0]);
  });

  it('cuts what is no stream and has been sent in part', async () => {
    renew({ request: { operation: 'models' } });
    jsonBegins();
    chunk('{"data":[');
    drain();
    expect(await finish(ABORTED)).toMatchObject({ kind: 'answered', end: 'truncated' });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual(['{"data":[', 'cut']);
  });
});
