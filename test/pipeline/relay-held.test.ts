import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/exchange.ts';
import { apiError } from '../support/claude-answers.ts';
import { ABORTED, BROKEN, ENDED, MEBIBYTE, useRelay } from './relay-under-test.ts';

/** Answers that a layer asked to have before the caller does, so that it can ask again instead. */

const exchange = useRelay();
const { head, chunk, finish, renew } = exchange;

describe('an answer that the layer holds back', () => {
  const ERROR = JSON.stringify(apiError('overloaded_error'));

  function holding(...holds: number[]): void {
    renew({ holds });
    head(529, { 'content-type': 'application/json', 'retry-after': '3' });
  }

  async function heldOf(outcome: Promise<Outcome>): Promise<Extract<Outcome, { kind: 'held' }>> {
    const held = await outcome;
    if (held.kind !== 'held') throw new Error(`not held but ${held.kind}`);
    return held;
  }

  it('is returned with its status and bytes, and nothing of it is sent', async () => {
    holding(529);
    expect(chunk(ERROR.slice(0, 20))).toBe(true);
    chunk(ERROR.slice(20));
    const held = await heldOf(finish(ENDED));
    expect([held.status, new TextDecoder().decode(held.body)]).toEqual([529, ERROR]);
    await exchange.clock.advance(60_000);
    expect([exchange.reply.isOpen, exchange.watched.cacheHeaders, exchange.clock.pending]).toEqual([false, [], 0]);
  });

  it('is sent as it came by send(), which is the outcome of any answer', async () => {
    holding(529);
    chunk(ERROR);
    const held = await heldOf(finish(ENDED));
    const sent = { kind: 'answered', status: 529, isStream: false, end: 'complete', usage: null, model: null };
    expect(await held.send()).toEqual(sent);
    expect(exchange.reply.head).toMatchObject({ status: 529, headers: { 'retry-after': '3' } });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual([ERROR, 'ended']);
    expect(exchange.watched).toEqual({ cacheHeaders: [null], statuses: [529], contents: [] });
  });

  it('without a body is held too', async () => {
    holding(529);
    const held = await heldOf(finish(ENDED));
    expect(held.body.length).toBe(0);
    expect(await held.send()).toMatchObject({ kind: 'answered', end: 'complete' });
    expect([exchange.reply.text, exchange.reply.ending]).toEqual(['', 'ended']);
  });

  it('is held up to 1 MiB', async () => {
    holding(529);
    chunk(' '.repeat(MEBIBYTE - 1));
    chunk(' ');
    expect((await heldOf(finish(ENDED))).body.length).toBe(MEBIBYTE);
    expect(exchange.reply.isOpen).toBe(false);
  });

  it.each([
    ['in two chunks', [' '.repeat(MEBIBYTE), ' ']],
    ['in one chunk', [' '.repeat(MEBIBYTE + 1)]],
  ])('is given up and relayed where it is longer, %s', async (_what, pieces) => {
    holding(529);
    for (const piece of pieces) chunk(piece);
    expect(exchange.reply.text.length).toBe(MEBIBYTE + 1);
    exchange.reply.fill();
    expect(chunk('more')).toBe(false);
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', status: 529, end: 'complete' });
    expect(exchange.reply.text.length).toBe(MEBIBYTE + 1 + 'more'.length);
  });

  it('and that breaks off is a refusal', async () => {
    holding(529);
    chunk(ERROR.slice(0, 20));
    expect(await finish(BROKEN)).toEqual({ kind: 'refused', refusal: { code: 'upstream_broken' } });
    expect(exchange.reply.isOpen).toBe(false);
  });

  it('and whose caller leaves is abandoned', async () => {
    holding(529);
    chunk(ERROR.slice(0, 20));
    exchange.context.leave();
    expect(await finish(ABORTED)).toEqual({ kind: 'abandoned' });
  });

  it('and is sent to a caller that has left meanwhile is an abort', async () => {
    holding(529);
    chunk(ERROR);
    const held = await heldOf(finish(ENDED));
    exchange.context.leave();
    expect(await held.send()).toMatchObject({ kind: 'answered', status: 529, end: 'client_abort' });
  });

  it('is none of another status: the layer is asked once, with the status', async () => {
    holding(400, 413);
    chunk(ERROR);
    expect(await finish(ENDED)).toMatchObject({ kind: 'answered', status: 529 });
    expect([exchange.reply.text, exchange.watched.statuses]).toEqual([ERROR, [529]]);
  });

  it('is no redirect: that is refused without asking', async () => {
    renew({ holds: [302] });
    head(302);
    expect(await finish(ENDED)).toMatchObject({ kind: 'refused', refusal: { code: 'upstream_redirected' } });
    expect(exchange.watched.statuses).toEqual([]);
  });
});
