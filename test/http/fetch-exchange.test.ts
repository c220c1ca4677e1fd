import { beforeEach, describe, expect, it } from 'vitest';
import type { Outcome, Reply, StopReason } from '../../src/core/exchange.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { answeredOf } from '../pipeline/scripted.ts';
import { createAppUnderTest } from './app-under-test.ts';

const KIB = 1024;
const ANSWERED = answeredOf();

/** An exchange whose service is the test itself: it holds the reply open until it says otherwise. */
let reply: Reply;
let signal: AbortSignal;
let stop: (reason: StopReason) => void;
let finish: (outcome: Outcome) => void;
let opened: PromiseWithResolvers<void>;
let clock: FakeClock;

function begin(): Promise<Response> {
  const ended = Promise.withResolvers<Outcome>();
  finish = ended.resolve;
  const app = createAppUnderTest({
    service: (_request, context) => {
      ({ reply, signal, stop } = context);
      opened.resolve();
      return ended.promise;
    },
  });
  ({ clock } = app);
  return app.post('{}');
}
beforeEach(() => {
  opened = Promise.withResolvers();
});

async function open(status = 200, headers: Record<string, string | string[]> = {}): Promise<Response> {
  const response = begin();
  await opened.promise;
  reply.open({ status, headers });
  return response;
}

describe('a reply of the Fetch API', () => {
  it('reaches the caller from its head on, while the exchange still runs', async () => {
    const response = await open(200, { 'content-type': 'text/event-stream', 'set-cookie': ['a=1', 'b=2'] });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const reader = response.body?.getReader();
    reply.write(new TextEncoder().encode('first'));
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('first');
    await reply.end();
    finish(ANSWERED);
    expect((await reader?.read())?.done).toBe(true);
  });

  it('is full at 64 KiB and drains once when the caller has read', async () => {
    const response = await open();
    let drains = 0;
    expect(reply.write(new Uint8Array(63 * KIB))).toBe(true);
    expect(reply.write(new Uint8Array(KIB))).toBe(false);
    reply.onDrain(() => drains++);
    const reader = response.body?.getReader();
    expect(drains).toBe(0);
    await reader?.read();
    await reader?.read();
    expect(drains).toBe(1);
    expect(reply.write(new Uint8Array(KIB))).toBe(true);
    finish(ANSWERED);
  });

  it('aborts the exchange when the caller stops reading, and lets who waits for it go on', async () => {
    const response = await open();
    reply.write(new Uint8Array(65 * KIB));
    let drains = 0;
    reply.onDrain(() => drains++);
    await response.body?.cancel();
    expect([signal.reason, drains]).toEqual(['caller_gone', 1]);
    expect(reply.write(new Uint8Array(1))).toBe(true);
    reply.onDrain(() => drains++);
    expect(drains).toBe(2);
    await Promise.all([reply.end(), reply.cut()]);
    finish(answeredOf({ end: 'client_abort' }));
  });

  it('that is cut fails for the caller, behind what was written', async () => {
    const response = await open();
    reply.write(new TextEncoder().encode('half'));
    const reader = response.body?.getReader();
    expect((await reader?.read())?.value?.length).toBe(4);
    const cut = reply.cut();
    await clock.advance(0);
    await cut;
    await expect(reader?.read()).rejects.toThrow('broke off');
    finish(answeredOf({ end: 'truncated' }));
  });

  it('that is dropped fails for the caller, and lets who waits for it go on', async () => {
    const response = await open();
    reply.write(new Uint8Array(65 * KIB));
    let drains = 0;
    reply.onDrain(() => drains++);
    stop('reader_stalled');
    await reply.drop();
    expect([signal.reason, drains, reply.write(new Uint8Array(1))]).toEqual(['reader_stalled', 1, true]);
    await expect(response.text()).rejects.toThrow('stalled');
    await Promise.all([reply.end(), reply.cut(), reply.drop()]);
    finish(answeredOf({ end: 'reader_stalled' }));
  });

  it('outlives the end of its exchange: what is to be said of it can still be written', async () => {
    const response = await open();
    stop('draining');
    expect(signal.reason).toBe('draining');
    reply.write(new TextEncoder().encode('the end'));
    await reply.end();
    expect(await response.text()).toBe('the end');
    finish(answeredOf({ end: 'truncated' }));
  });

  it('whose exchange was stopped keeps the first reason, whoever leaves later', async () => {
    const response = await open();
    stop('draining');
    stop('reader_stalled');
    await response.body?.cancel();
    expect(signal.reason).toBe('draining');
    finish(answeredOf({ end: 'client_abort' }));
  });

  it.each([204, 304])('of status %d has no body', async (status) => {
    const response = await open(status);
    expect([response.status, response.body]).toEqual([status, null]);
    await reply.end();
    finish(ANSWERED);
  });
});

it('a request that is aborted aborts its exchange', async () => {
  const caller = new AbortController();
  const app = createAppUnderTest({
    service: (_request, context) => {
      ({ signal } = context);
      caller.abort();
      return Promise.resolve({ kind: 'abandoned' });
    },
  });
  const headers = { 'x-api-key': 'sk-known' };
  await app.request('/v1/models', { headers, signal: caller.signal });
  expect(signal.reason).toBe('caller_gone');
});
