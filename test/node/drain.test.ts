import { describe, expect, it } from 'vitest';
import { drain, GRACE_MS, HURRIED_GRACE_MS, PROGRESS_MS, QUIET_MS, type DrainProgress } from '../../src/node/drain.ts';
import { createFakeClock } from '../support/fake-clock.ts';

/** What a drain does to a gateway and a server that only write it down; connections end when the test says so. */
function startDrain({ drainMs = 30_000, noticeMs = 0, open = 0 } = {}) {
  const clock = createFakeClock();
  const done: string[] = [];
  const reports: DrainProgress[] = [];
  const finished = Promise.withResolvers<void>();
  const hurry = new AbortController();
  const gateway = {
    openExchanges: open,
    startDraining: () => void done.push('not ready'),
    stopExchanges() {
      done.push('exchanges stopped');
      return gateway.openExchanges;
    },
  };
  const server = {
    makeAnswersLast: () => void done.push('answers are the last'),
    finish(quietMs: number) {
      done.push(`port closed, quiet is ${quietMs} ms`);
      return finished.promise;
    },
    cut() {
      done.push('connections cut');
      finished.resolve();
      return 3;
    },
  };
  let isOver = false;
  const report = (progress: DrainProgress): void => void reports.push(progress);
  const drained = drain({ gateway, server, clock, drainMs, noticeMs, hurry: hurry.signal, report });
  void drained.then(() => (isOver = true));
  return {
    clock,
    done,
    reports,
    gateway,
    hurry,
    get isOver() {
      return isOver;
    },
    connectionsEnd: finished.resolve,
  };
}

const CLOSED = `port closed, quiet is ${QUIET_MS} ms`;
const BEGUN = ['not ready', 'answers are the last'];

describe('a drain', () => {
  it('is over when the last connection has ended, and leaves no timer', async () => {
    const run = startDrain({ open: 2 });
    await run.clock.advance(700);
    expect(run.done).toEqual([...BEGUN, CLOSED]);
    expect(run.isOver).toBe(false);
    run.gateway.openExchanges = 0;
    run.connectionsEnd();
    await run.clock.advance(0);
    expect(run.isOver).toBe(true);
    expect(run.clock.pending).toBe(0);
    expect(run.reports).toEqual([
      { kind: 'started', openExchanges: 2, noticeMs: 0, drainMs: 30_000 },
      { kind: 'ended', durationMs: 700, stoppedExchanges: 0, cutConnections: 0 },
    ]);
  });

  it('is not ready at once and closes the port when the notice is over', async () => {
    const run = startDrain({ noticeMs: 4_000 });
    await run.clock.advance(3_999);
    expect(run.done).toEqual(BEGUN);
    await run.clock.advance(1);
    expect(run.done).toEqual([...BEGUN, CLOSED]);
  });

  it('waits for an exchange that outlives its connection', async () => {
    const run = startDrain({ open: 1 });
    run.connectionsEnd();
    await run.clock.advance(5_000);
    expect(run.isOver).toBe(false);
    run.gateway.openExchanges = 0;
    await run.clock.advance(100);
    expect(run.isOver).toBe(true);
    expect(run.clock.pending).toBe(0);
  });

  it('says every few seconds how many exchanges are left, and for how long at most', async () => {
    const run = startDrain({ open: 3 });
    await run.clock.advance(PROGRESS_MS);
    run.gateway.openExchanges = 1;
    await run.clock.advance(PROGRESS_MS);
    expect(run.reports.slice(1)).toEqual([
      { kind: 'waiting', openExchanges: 3, leftMs: 30_000 - PROGRESS_MS },
      { kind: 'waiting', openExchanges: 1, leftMs: 30_000 - 2 * PROGRESS_MS },
    ]);
  });
});

describe('a drain at its deadline', () => {
  it('ends the exchanges, and cuts what has not left after the grace', async () => {
    const run = startDrain({ drainMs: 1_000, open: 2 });
    await run.clock.advance(999);
    expect(run.done).toEqual([...BEGUN, CLOSED]);
    await run.clock.advance(1);
    expect(run.done.slice(3)).toEqual(['exchanges stopped']);
    await run.clock.advance(GRACE_MS - 1);
    expect(run.isOver).toBe(false);
    await run.clock.advance(1);
    expect(run.done.slice(3)).toEqual(['exchanges stopped', 'connections cut']);
    expect(run.isOver).toBe(true);
    expect(run.clock.pending).toBe(0);
    expect(run.reports.slice(1)).toEqual([
      { kind: 'stopping', because: 'deadline', stoppedExchanges: 2 },
      { kind: 'ended', durationMs: 1_000 + GRACE_MS, stoppedExchanges: 2, cutConnections: 3 },
    ]);
  });

  it('cuts nothing when the last bytes have left within the grace', async () => {
    const run = startDrain({ drainMs: 1_000, open: 1 });
    await run.clock.advance(1_000);
    run.gateway.openExchanges = 0;
    run.connectionsEnd();
    await run.clock.advance(10);
    expect(run.done).not.toContain('connections cut');
    expect(run.reports.at(-1)).toMatchObject({ kind: 'ended', stoppedExchanges: 1, cutConnections: 0 });
  });

  it('comes before the end of a notice that is longer', async () => {
    const run = startDrain({ drainMs: 1_000, noticeMs: 9_000, open: 1 });
    expect(run.reports[0]).toMatchObject({ noticeMs: 1_000 });
    await run.clock.advance(1_000);
    expect(run.done).toContain('exchanges stopped');
    expect(run.done).toContain(CLOSED);
  });

  it('of zero ends the exchanges at once', async () => {
    const run = startDrain({ drainMs: 0, noticeMs: 5_000, open: 1 });
    await run.clock.advance(0);
    expect(run.done.slice(2).toSorted()).toEqual(['exchanges stopped', 'port closed, quiet is 0 ms']);
  });
});

describe('a drain that is hurried', () => {
  it.each([0, 9_000])('ends with a notice of %i ms, within what it takes to write the last bytes', async (noticeMs) => {
    const run = startDrain({ noticeMs, open: 1 });
    await run.clock.advance(500);
    run.hurry.abort();
    await run.clock.advance(0);
    expect(run.done).toContain('exchanges stopped');
    await run.clock.advance(HURRIED_GRACE_MS);
    expect(run.done.at(-1)).toBe('connections cut');
    expect(run.isOver).toBe(true);
    expect(run.clock.pending).toBe(0);
    expect(run.reports.at(-1)).toMatchObject({ kind: 'ended', durationMs: 500 + HURRIED_GRACE_MS });
  });

  it('after its deadline does not wait for the grace', async () => {
    const run = startDrain({ drainMs: 1_000, open: 1 });
    await run.clock.advance(1_100);
    run.hurry.abort();
    await run.clock.advance(HURRIED_GRACE_MS);
    expect(run.isOver).toBe(true);
  });
});
