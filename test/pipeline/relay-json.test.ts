import { describe, expect, it } from 'vitest';
import { message } from '../support/claude-answers.ts';
import { ABORTED, BROKEN, ENDED, MEBIBYTE, useRelay } from './relay-under-test.ts';
import { usageOf } from './scripted.ts';

/** JSON answers: kept until they are whole, up to 1 MiB, because no caller can use half of one. */

const exchange = useRelay();
const { jsonBegins, chunk, finish, renew } = exchange;

const MESSAGE = JSON.stringify(message({ input_tokens: 3, cache_read_input_tokens: 40, output_tokens: 9 }));
const USAGE = usageOf({ uncachedInput: 3, cacheRead: 40, output: 9 });

/** A message of exactly so many bytes. */
const messageOf = (bytes: number): string => ' '.repeat(bytes - MESSAGE.length) + MESSAGE;

function inPieces(text: string, pieceLength: number): string[] {
  return Array.from({ length: Math.ceil(text.length / pieceLength) }, (_none, index) =>
    text.slice(index * pieceLength, (index + 1) * pieceLength),
  );
}

describe('a JSON answer', () => {
  it('that comes in pieces is sent when it is whole, and read for usage', async () => {
    jsonBegins();
    for (const piece of inPieces(MESSAGE, 50)) chunk(piece);
    expect(exchange.reply.isOpen).toBe(false);
    expect(await finish(ENDED)).toEqual({
      kind: 'answered',
      status: 200,
      isStream: false,
      end: 'complete',
      usage: USAGE,
      model: 'claude-sonnet-5',
      failure: null,
    });
    expect([exchange.reply.text, exchange.reply.ending, exchange.openStreams]).toEqual([MESSAGE, 'ended', 0]);
  });

  it.each([
    ['a token count', 'count_tokens', 200],
    ['a list of models', 'models', 200],
    ['what nobody here knows', 'other', 203],
  ] as const)('is not read for usage where it is %s', async (_what, operation, status) => {
    renew({ request: { operation } });
    jsonBegins(status);
    chunk(MESSAGE);
    expect(await finish(ENDED)).toMatchObject({ status, usage: null, model: null, failure: null });
    expect(exchange.reply.text).toBe(MESSAGE);
  });

  it('without a byte in it is sent as it is', async () => {
    jsonBegins();
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', end: 'complete', usage: null });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual(['', 'ended']);
  });

  it('does not pause its upstream while it is kept, however full the caller’s side is', () => {
    jsonBegins();
    exchange.reply.fill();
    for (const piece of inPieces(MESSAGE, 50)) expect(chunk(piece)).toBe(true);
    expect(exchange.reply.draining).toBe(0);
  });
});

describe('a JSON answer of 1 MiB', () => {
  it.each([MEBIBYTE, 64 * 1024 - 1])('is sent when it is whole, in chunks of %d bytes', async (pieceLength) => {
    const text = messageOf(MEBIBYTE);
    jsonBegins();
    for (const piece of inPieces(text, pieceLength)) chunk(piece);
    expect(exchange.reply.isOpen).toBe(false);
    expect(await finish(ENDED)).toMatchObject({ end: 'complete', usage: USAGE });
    expect(exchange.reply.text === text).toBe(true);
  });
});

describe('a JSON answer of more than 1 MiB', () => {
  it('opens at the byte that is too much and goes on as it comes', async () => {
    const text = messageOf(MEBIBYTE + 1_000);
    jsonBegins();
    chunk(text.slice(0, MEBIBYTE));
    expect(exchange.reply.isOpen).toBe(false);
    chunk(text.slice(MEBIBYTE, MEBIBYTE + 1));
    expect(exchange.reply.text === text.slice(0, MEBIBYTE + 1)).toBe(true);
    chunk(text.slice(MEBIBYTE + 1, MEBIBYTE + 2));
    expect(exchange.reply.text.length).toBe(MEBIBYTE + 2);
    chunk(text.slice(MEBIBYTE + 2));
    expect(await finish(ENDED)).toMatchObject({ end: 'complete', usage: USAGE, model: 'claude-sonnet-5' });
    expect([exchange.reply.text === text, exchange.reply.ending]).toEqual([true, 'ended']);
  });

  it('arrives whole and is read where it is one single chunk', async () => {
    const text = messageOf(MEBIBYTE + 1);
    jsonBegins();
    chunk(text);
    expect(exchange.reply.text === text).toBe(true);
    expect(await finish(ENDED)).toMatchObject({ end: 'complete', usage: USAGE });
  });

  it('pauses its upstream once it is open, and resumes it once', () => {
    jsonBegins();
    exchange.reply.fill();
    expect(chunk(' '.repeat(MEBIBYTE))).toBe(true);
    expect(chunk(' ')).toBe(false);
    expect([exchange.reply.draining, exchange.resumed]).toEqual([1, 0]);
    exchange.reply.drain();
    expect(exchange.resumed).toBe(1);
  });

  it('that breaks off is cut, without an event in it', async () => {
    const half = messageOf(MEBIBYTE + 2).slice(0, -1);
    jsonBegins();
    chunk(half);
    const failure = { kind: 'network' };
    expect(await finish(BROKEN)).toMatchObject({ kind: 'answered', end: 'truncated', failure });
    expect([exchange.reply.text === half, exchange.reply.ending]).toEqual([true, 'cut']);
  });
});

describe('a JSON answer of more than 16 MiB', () => {
  const SIZE = 17 * MEBIBYTE;

  it.each([
    ['in chunks of 64 KiB', 64 * 1024],
    ['as one single chunk', SIZE],
    ['with all but its message in one chunk', SIZE - MESSAGE.length],
  ])('is relayed whole and not read, %s', async (_what, pieceLength) => {
    const text = messageOf(SIZE);
    jsonBegins();
    for (const piece of inPieces(text, pieceLength)) chunk(piece);
    expect(await finish(ENDED)).toMatchObject({ end: 'complete', usage: null, model: null });
    expect([exchange.reply.text === text, exchange.reply.ending]).toEqual([true, 'ended']);
  });
});

describe('a JSON answer that breaks off within 1 MiB', () => {
  it.each(['upstream_broken', 'upstream_timeout'] as const)('is a refusal: %s', async (code) => {
    jsonBegins();
    chunk(messageOf(MEBIBYTE).slice(0, -1));
    expect(await finish({ kind: 'failed', code })).toMatchObject({ kind: 'refused', refusal: { code } });
    expect(exchange.reply.isOpen).toBe(false);
  });

  it.each(['count_tokens', 'models', 'other'] as const)('is cut where it opened at once, for %s', async (operation) => {
    renew({ request: { operation } });
    jsonBegins();
    chunk('{"type":"mess');
    const failure = { kind: 'network' };
    expect(await finish(BROKEN)).toMatchObject({ kind: 'answered', status: 200, end: 'truncated', failure });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual(['{"type":"mess', 'cut']);
  });
});

describe('a caller that leaves', () => {
  it('while its JSON answer is kept has abandoned the exchange', async () => {
    jsonBegins();
    chunk(MESSAGE.slice(0, -1));
    exchange.context.leave();
    expect(await finish(ABORTED)).toEqual({ kind: 'abandoned', usage: null, model: null });
    expect(exchange.reply.isOpen).toBe(false);
  });

  it('as its JSON answer became whole is an abort with the usage: it has been paid for', async () => {
    jsonBegins();
    chunk(MESSAGE);
    exchange.context.leave();
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', end: 'client_abort', usage: USAGE });
  });

  it('within a JSON answer of more than 1 MiB is an abort', async () => {
    jsonBegins();
    chunk(' '.repeat(MEBIBYTE + 1));
    exchange.context.leave();
    expect(await finish(ABORTED)).toMatchObject({ kind: 'answered', end: 'client_abort', isStream: false });
  });
});
