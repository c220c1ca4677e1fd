import { describe, expect, it } from 'vitest';
import type { Operation, Outcome } from '../../src/core/exchange.ts';
import { apiError, event, messageStart, PING, streamHead } from '../support/claude-answers.ts';
import { ABORTED, BROKEN, ENDED, MEBIBYTE, useRelay } from './relay-under-test.ts';
import { failureOf } from './scripted.ts';

/** Errors: kept until somebody has decided whether to ask again, and then sent as they came. */

const exchange = useRelay();
const { head, chunk, finish, renew, streamBegins } = exchange;

type Held = Extract<Outcome, { kind: 'held' }>;

async function heldBy(outcome: Promise<Outcome>): Promise<Held> {
  const held = await outcome;
  if (held.kind !== 'held') throw new Error(`not held but ${held.kind}`);
  return held;
}

describe('an error answer', () => {
  const ERROR = JSON.stringify(apiError('overloaded_error'));
  const FAILURE = failureOf('overloaded', { retryAfterMs: 3_000 });

  function overloadedBegins(): void {
    head(529, { 'content-type': 'application/json', 'retry-after': '3' });
  }

  it('is returned with its status, its bytes and what it means, and nothing of it is sent', async () => {
    overloadedBegins();
    expect(chunk(ERROR.slice(0, 20))).toBe(true);
    chunk(ERROR.slice(20));
    const held = await heldBy(finish(ENDED));
    expect([held.status, new TextDecoder().decode(held.body), held.failure]).toEqual([529, ERROR, FAILURE]);
    await exchange.clock.advance(60_000);
    expect([exchange.reply.isOpen, exchange.watched.cacheHeaders, exchange.clock.pending]).toEqual([false, [], 0]);
  });

  it.each<[Operation, number]>([
    ['messages', 400],
    ['messages', 599],
    ['count_tokens', 429],
    ['models', 404],
    ['other', 500],
  ])('of %s with status %d is held like any other', async (operation, status) => {
    renew({ request: { operation } });
    head(status);
    expect((await heldBy(finish(ENDED))).status).toBe(status);
  });

  it('that calls itself an event stream is none', async () => {
    head(529, { 'content-type': 'text/event-stream' });
    expect(exchange.openStreams).toBe(0);
    await heldBy(finish(ENDED));
  });

  it.each([
    ['own', 'credential_refused'],
    ['caller', undefined],
  ] as const)('401 to the credential of %s is a failure of the upstream’s: %s', async (credential, kind) => {
    renew({ credential });
    head(401);
    expect((await heldBy(finish(ENDED))).failure?.kind).toBe(kind);
  });

  it('is sent as it came by send(), which is the outcome of any answer', async () => {
    overloadedBegins();
    chunk(ERROR);
    const held = await heldBy(finish(ENDED));
    const sent = { status: 529, isStream: false, end: 'complete', usage: null, model: null, failure: FAILURE };
    expect(await held.send()).toEqual({ kind: 'answered', ...sent });
    expect(exchange.reply.head).toMatchObject({ status: 529, headers: { 'retry-after': '3' } });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual([ERROR, 'ended']);
    expect(exchange.watched).toEqual({ cacheHeaders: [null], contents: [] });
    expect(exchange.clock.pending).toBe(0);
  });

  it('is sent with the headers that are given to send(), in place of the upstream’s', async () => {
    head(529, { 'x-should-retry': 'true', 'request-id': 'req_1' });
    const held = await heldBy(finish(ENDED));
    await held.send({ 'x-should-retry': 'false' });
    expect(exchange.reply.head?.headers).toMatchObject({ 'x-should-retry': 'false', 'request-id': 'req_1' });
  });

  it('without a body is held too', async () => {
    overloadedBegins();
    const held = await heldBy(finish(ENDED));
    expect(held.body.length).toBe(0);
    expect(await held.send()).toMatchObject({ kind: 'answered', end: 'complete' });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual(['', 'ended']);
  });

  it('is held up to 1 MiB', async () => {
    overloadedBegins();
    chunk(' '.repeat(MEBIBYTE - 1));
    chunk(' ');
    expect((await heldBy(finish(ENDED))).body.length).toBe(MEBIBYTE);
    expect(exchange.reply.isOpen).toBe(false);
  });

  it.each([
    ['in two chunks', [' '.repeat(MEBIBYTE), ' ']],
    ['in one chunk', [' '.repeat(MEBIBYTE + 1)]],
  ])('is relayed where it is longer, %s, and still a failure', async (_what, pieces) => {
    overloadedBegins();
    for (const piece of pieces) chunk(piece);
    expect(exchange.reply.text.length).toBe(MEBIBYTE + 1);
    exchange.reply.fill();
    expect(chunk('more')).toBe(false);
    exchange.reply.drain();
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', status: 529, end: 'complete', failure: FAILURE });
    expect(exchange.reply.text.length).toBe(MEBIBYTE + 1 + 'more'.length);
  });

  it('that breaks off is a refusal', async () => {
    overloadedBegins();
    chunk(ERROR.slice(0, 20));
    const refusal = { code: 'upstream_broken' };
    expect(await finish(BROKEN)).toEqual({ kind: 'refused', refusal, failure: failureOf('network') });
    expect(exchange.reply.isOpen).toBe(false);
  });

  it('whose caller leaves is abandoned', async () => {
    overloadedBegins();
    chunk(ERROR.slice(0, 20));
    exchange.context.leave();
    expect(await finish(ABORTED)).toMatchObject({ kind: 'abandoned' });
  });

  it('that is sent to a caller that has left meanwhile is an abort', async () => {
    overloadedBegins();
    chunk(ERROR);
    const held = await heldBy(finish(ENDED));
    exchange.context.leave();
    expect(await held.send()).toMatchObject({ kind: 'answered', status: 529, end: 'client_abort' });
  });
});

describe('an error event before any content', () => {
  const WIRE_USAGE = { input_tokens: 5, output_tokens: 2 };
  const failing = (type: string): string =>
    messageStart(WIRE_USAGE) + PING + event('error', { error: { type, message: 'no' } });

  it.each([
    ['overloaded_error', 'overloaded'],
    ['rate_limit_error', 'rate_limited'],
    ['api_error', 'stream_error'],
  ] as const)('is held like an error answer: %s means %s', async (type, kind) => {
    streamBegins();
    chunk(failing(type));
    const held = await heldBy(finish(ENDED));
    expect([held.status, held.failure]).toEqual([200, failureOf(kind)]);
    expect(new TextDecoder().decode(held.body)).toBe(failing(type));
    expect([exchange.reply.isOpen, exchange.openStreams, exchange.clock.pending]).toEqual([false, 0, 0]);
  });

  it('is sent as it came by send(), a stream that ends properly, without usage: it is not billed', async () => {
    streamBegins();
    chunk(failing('overloaded_error'));
    const held = await heldBy(finish(ENDED));
    const sent = { kind: 'answered', status: 200, isStream: true, end: 'upstream_error', usage: null };
    expect(await held.send({ 'x-should-retry': 'false' })).toMatchObject(sent);
    expect([exchange.reply.text, exchange.reply.ending]).toEqual([failing('overloaded_error'), 'ended']);
    expect(exchange.reply.head?.headers['x-should-retry']).toBe('false');
    expect(exchange.clock.pending).toBe(0);
  });

  it('is relayed where the head had gone out for silence', async () => {
    streamBegins();
    await exchange.clock.advance(15_000);
    chunk(failing('overloaded_error'));
    const outcome = await finish(ENDED);
    expect(outcome).toMatchObject({ kind: 'answered', end: 'upstream_error', failure: { kind: 'overloaded' } });
    expect(exchange.reply.text.endsWith(failing('overloaded_error'))).toBe(true);
  });

  it('is not what an error event behind content is', async () => {
    streamBegins();
    chunk(streamHead() + event('error', { error: { type: 'overloaded_error', message: 'no' } }));
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', end: 'upstream_error' });
  });
});
