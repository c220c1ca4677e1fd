import { describe, expect, it } from 'vitest';
import {
  SILENCE_MS,
  startLiveFeed,
  type FeedState,
  type LiveFeed,
  type Opening,
} from '../../../src/console/page/data/live-feed.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';

interface Attempt {
  readonly signal: AbortSignal;
  /** The gateway answers with a stream. */
  accept(): void;
  send(text: string): void;
  /** The stream ends, or breaks. */
  end(): void;
  refuse(opening: Opening): void;
  fail(): void;
}

interface Stage {
  readonly clock: FakeClock;
  readonly attempts: Attempt[];
  readonly states: FeedState[];
  readonly events: string[];
  readonly feed: LiveFeed;
}

/** A feed whose gateway is played by the test. */
function stage(): Stage {
  const clock = createFakeClock();
  const attempts: Attempt[] = [];
  const states: FeedState[] = [];
  const events: string[] = [];
  const feed = startLiveFeed({
    clock,
    open: (signal) => new Promise((resolve, reject) => attempts.push(attempt(signal, resolve, reject))),
    onState: (state) => states.push(state),
    onEvent: (type, data) => events.push(`${type} ${data}`),
  });
  return { clock, attempts, states, events, feed };
}

function attempt(signal: AbortSignal, resolve: (opening: Opening) => void, reject: (error: Error) => void): Attempt {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, {
    highWaterMark: 99,
  });
  const writer = writable.getWriter();
  return {
    signal,
    accept: () => resolve({ kind: 'open', chunks: readable }),
    send: (text) => void writer.write(new TextEncoder().encode(text)),
    end: () => void writer.close(),
    refuse: resolve,
    fail: () => reject(new TypeError('Failed to fetch')),
  };
}

const newest = <T>(list: readonly T[]): T => list.at(-1) as T;

describe('the live feed', () => {
  it('hands on events however the network cuts them', async () => {
    const { clock, attempts, events } = stage();
    newest(attempts).accept();
    for (const piece of ['event: hist', 'ory\nda', 'ta: {"a":', '1}\n', '\nevent: snapshot\ndata: {}\n\n: ping\n\n'])
      newest(attempts).send(piece);
    await clock.advance(0);
    expect(events).toEqual(['history {"a":1}', 'snapshot {}']);
  });

  it('says that it is live with the first event, not with the connection', async () => {
    const { clock, attempts, states } = stage();
    newest(attempts).accept();
    await clock.advance(0);
    expect(states.map(({ kind }) => kind)).toEqual(['connecting']);
    newest(attempts).send('event: snapshot\ndata: {}\n\n');
    await clock.advance(0);
    expect(newest(states)).toEqual({ kind: 'live' });
  });

  it('says since when nothing has come, and tries again more and more patiently', async () => {
    const { clock, attempts, states } = stage();
    newest(attempts).accept();
    newest(attempts).send('event: snapshot\ndata: {}\n\n');
    await clock.advance(3000);
    newest(attempts).end();
    await clock.advance(0);
    expect(newest(states)).toEqual({ kind: 'lost', sinceMs: 0, because: 'The gateway has ended the connection.' });
    const waits: number[] = [];
    for (let count = 2; count <= 7; count++) {
      const fromMs = clock.nowMs();
      while (attempts.length < count) await clock.advance(500);
      waits.push(clock.nowMs() - fromMs);
      newest(attempts).fail();
      await clock.advance(0);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000]);
    expect(newest(states)).toEqual({ kind: 'lost', sinceMs: 0, because: 'The gateway cannot be reached.' });
  });

  it('is patient only as long as it fails: an event makes it quick again', async () => {
    const { clock, attempts } = stage();
    newest(attempts).fail();
    await clock.advance(1000);
    newest(attempts).fail();
    await clock.advance(2000);
    newest(attempts).accept();
    newest(attempts).send('event: snapshot\ndata: {}\n\n');
    await clock.advance(0);
    newest(attempts).end();
    await clock.advance(1000);
    expect(attempts).toHaveLength(4);
  });

  it('gives up a connection that has fallen silent', async () => {
    const { clock, attempts, states } = stage();
    newest(attempts).accept();
    newest(attempts).send('event: snapshot\ndata: {}\n\n');
    await clock.advance(SILENCE_MS);
    expect(newest(states)).toEqual({ kind: 'lost', sinceMs: 0, because: 'The gateway has fallen silent.' });
    expect(attempts[0]?.signal.aborted).toBe(true);
  });

  it('hears nothing any more from a connection that it has given up', async () => {
    const { clock, attempts, events } = stage();
    const first = newest(attempts);
    first.accept();
    await clock.advance(SILENCE_MS + 1000);
    first.send('event: snapshot\ndata: late\n\n');
    await clock.advance(0);
    expect(events).toEqual([]);
    expect(attempts).toHaveLength(2);
  });

  it('shows what the gateway says where it takes no more viewers', async () => {
    const { clock, attempts, states } = stage();
    newest(attempts).refuse({ kind: 'failed', because: '32 viewers are connected.' });
    await clock.advance(0);
    expect(newest(states)).toEqual({ kind: 'lost', sinceMs: 0, because: '32 viewers are connected.' });
  });

  it('does not try a refused token again, also when somebody looks', async () => {
    const { clock, attempts, states, feed } = stage();
    newest(attempts).refuse({ kind: 'unauthorized' });
    await clock.advance(60_000);
    feed.wake();
    await clock.advance(60_000);
    expect(newest(states)).toEqual({ kind: 'unauthorized' });
    expect(attempts).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('tries at once when somebody looks again', async () => {
    const { clock, attempts, feed } = stage();
    newest(attempts).fail();
    await clock.advance(500);
    feed.wake();
    expect(attempts).toHaveLength(2);
  });

  it('is left alone by a look while it is well', async () => {
    const { clock, attempts, feed } = stage();
    newest(attempts).accept();
    newest(attempts).send('event: snapshot\ndata: {}\n\n');
    await clock.advance(1000);
    feed.wake();
    expect(attempts).toHaveLength(1);
  });

  it('leaves no timer and no connection behind when it is stopped', async () => {
    const { clock, attempts, feed } = stage();
    newest(attempts).accept();
    await clock.advance(0);
    feed.stop();
    expect(newest(attempts).signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });
});
