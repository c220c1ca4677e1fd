import { describe, expect, it } from 'vitest';
import type { History, Snapshot } from '../../src/console/contract.ts';
import type { Reply } from '../../src/core/exchange.ts';
import { createLiveFeed } from '../../src/http/console-live.ts';
import type { HttpExchange } from '../../src/http/exchange.ts';
import { within } from '../support/eventually.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { createConsoleUnderTest, type ConsoleUnderTest } from './console-under-test.ts';

const DEADLINE_MS = 3_000;
const NEVER = new AbortController().signal;

/** Snapshots that are numbered in the order in which they were taken. */
function counting(pace: 'shared' | 'each' = 'shared') {
  let taken = 0;
  const snapshot = async (): Promise<Snapshot> => ({ atMs: ++taken }) as Snapshot;
  const console = createConsoleUnderTest({ snapshot }, { pace: { everyMs: 1_000, snapshots: pace } });
  return { console, taken: () => taken };
}

async function look(console: ConsoleUnderTest) {
  const response = await console.ask('/api/live');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const next = async (): Promise<string | null> => {
    const { done, value } = await within('the next event', DEADLINE_MS, reader.read());
    return done ? null : new TextDecoder().decode(value).trim();
  };
  return { response, next, leave: () => reader.cancel() };
}

describe('the live figures', () => {
  it('are the history once, a snapshot at once and one at each beat', async () => {
    const { console } = counting();
    const viewer = await look(console);
    expect(viewer.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await viewer.next()).toBe('event: history\ndata: {"bucketMs":10000,"buckets":[]}');
    expect(await viewer.next()).toBe('event: snapshot\ndata: {"atMs":1}');
    await console.clock.advance(1_000);
    expect(await viewer.next()).toBe('event: snapshot\ndata: {"atMs":2}');
    await console.clock.advance(1_000);
    expect(await viewer.next()).toBe('event: snapshot\ndata: {"atMs":3}');
    await viewer.leave();
  });

  it('are taken once for all viewers', async () => {
    const { console, taken } = counting();
    const viewers = [await look(console), await look(console)];
    await console.clock.advance(1_000);
    expect(taken()).toBe(3); // one for each to begin with, and then one for both
    for (const { leave } of viewers) await leave();
  });

  it('are taken for each viewer where no request may wait for another', async () => {
    const { console, taken } = counting('each');
    const viewers = [await look(console), await look(console)];
    await console.clock.advance(1_000);
    expect(taken()).toBe(4);
    for (const { leave } of viewers) await leave();
  });

  it('are taken for nobody when nobody looks', async () => {
    const { console, taken } = counting();
    expect(console.clock.pending).toBe(0);
    const viewer = await look(console);
    await viewer.leave();
    await console.clock.advance(10_000);
    expect([taken(), console.clock.pending]).toEqual([1, 0]);
  });

  it('skip a viewer that reads slowly instead of queueing up for it', async () => {
    const large = 'x'.repeat(70_000); // more than may wait for a reader
    let taken = 0;
    const console = createConsoleUnderTest({ snapshot: async () => ({ atMs: ++taken, large }) as unknown as Snapshot });
    const viewer = await look(console);
    await console.clock.advance(20_000);
    expect(taken).toBe(21);
    await viewer.next(); // the history
    expect(await viewer.next()).toContain('"atMs":1,');
    await console.clock.advance(1_000);
    expect(await viewer.next()).toContain('"atMs":22,');
    await viewer.leave();
  });

  it('end for a viewer that has read nothing for a minute', async () => {
    const large = 'x'.repeat(70_000);
    const console = createConsoleUnderTest({ snapshot: async () => ({ large }) as unknown as Snapshot });
    const viewer = await look(console);
    await console.clock.advance(60_000);
    await expect(viewer.next()).rejects.toThrow('the reader stalled');
    expect(console.clock.pending).toBe(0);
  });

  it('end properly when the process drains, and begin for nobody after that', async () => {
    const { console } = counting();
    const viewer = await look(console);
    await viewer.next();
    await viewer.next();
    console.openExchanges.startDraining();
    expect(await viewer.next()).toContain('"atMs":2'); // the last: it says that the process drains
    expect(await viewer.next()).toBeNull();
    await console.clock.advance(1_000);
    expect(console.clock.pending).toBe(0);
    const late = await console.ask('/api/live');
    expect([late.status, late.headers.get('retry-after')]).toEqual([503, '1']);
  });

  it('have room for 32 viewers, and for another when one has left', async () => {
    const { console } = counting();
    const viewers = await Promise.all(Array.from({ length: 32 }, () => look(console)));
    const tooMany = await console.ask('/api/live');
    expect(tooMany.status).toBe(429);
    expect(await tooMany.json()).toEqual({ error: '32 viewers look on already: close one of them.' });
    await viewers[0]?.leave();
    await console.clock.advance(0);
    const again = await look(console);
    expect(again.response.status).toBe(200);
    for (const { leave } of [...viewers.slice(1), again]) await leave();
  });

  it('give a place back that was taken for a viewer whose first figures failed', async () => {
    let fails = 32;
    const history = async (): Promise<History> => {
      if (fails-- > 0) throw new Error('no hub');
      return { bucketMs: 10_000, buckets: [] };
    };
    const console = createConsoleUnderTest({ history });
    for (let count = 0; count < 32; count++) expect((await console.ask('/api/live')).status).toBe(503);
    const viewer = await look(console);
    expect(viewer.response.status).toBe(200);
    await viewer.leave();
    expect(console.clock.pending).toBe(0);
  });

  it('leave a beat out when its snapshot fails, tell the operator, and go on', async () => {
    let taken = 0;
    const snapshot = async (): Promise<Snapshot> => {
      if (++taken === 2) throw new Error('a bug');
      return { atMs: taken } as Snapshot;
    };
    const console = createConsoleUnderTest({ snapshot });
    const viewer = await look(console);
    await console.clock.advance(2_000);
    await viewer.next();
    await viewer.next();
    expect(await viewer.next()).toContain('"atMs":3');
    expect(console.errors).toEqual([new Error('a bug')]);
    await viewer.leave();
  });

  it('end properly for a viewer whose last snapshot fails, and the operator is told', async () => {
    let taken = 0;
    const unreadable = {
      toJSON: (): never => {
        throw new Error('a bug');
      },
    };
    const snapshot = async (): Promise<Snapshot> => (++taken === 1 ? { atMs: 1 } : unreadable) as Snapshot;
    const console = createConsoleUnderTest({ snapshot });
    const viewer = await look(console);
    await viewer.next();
    await viewer.next();
    console.openExchanges.startDraining();
    expect(await viewer.next()).toBeNull();
    expect(console.errors).toEqual([new Error('a bug')]);
    expect(console.clock.pending).toBe(0);
  });

  it('end at once for a viewer who cannot be written to, which the operator is told, and the place is free again', async () => {
    const clock = createFakeClock();
    const errors: unknown[] = [];
    const source = {
      history: async () => ({ bucketMs: 1, buckets: [] }),
      snapshot: async () => ({ atMs: 1 }) as Snapshot,
    };
    const pace = { everyMs: 1_000, snapshots: 'shared' } as const;
    const onError = (error: unknown): void => void errors.push(error);
    const feed = createLiveFeed({ clock, source, pace, draining: NEVER, onError });
    const over = Promise.withResolvers<string>();
    const reply: Reply & { isOpen: boolean } = {
      isOpen: false,
      open: () => void (reply.isOpen = true),
      write: () => {
        throw new Error('a bug');
      },
      onDrain: () => {},
      end: async () => over.resolve('ended'),
      cut: async () => over.resolve('cut'),
      drop: async () => over.resolve('dropped'),
    };
    const respond: HttpExchange['respond'] = async (run) => {
      await run(reply);
      return { kind: 'sent', response: new Response() };
    };
    await feed.show({ signal: NEVER, respond } as HttpExchange);
    expect(await within('the end', DEADLINE_MS, over.promise)).toBe('dropped');
    expect([errors, feed.viewers, clock.pending]).toEqual([[new Error('a bug')], 0, 0]);
  });
});
