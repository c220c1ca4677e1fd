import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { callerSignal } from '../../src/pipeline/relay/caller-signal.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { contextOf, tenantOf, type ScriptedContext } from './scripted.ts';

const BOUND_MS = 60_000;

let clock: FakeClock;
let context: ScriptedContext;
let stopping: AbortController;
beforeEach(() => {
  stopping = new AbortController();
  clock = createFakeClock();
});

function signalWith(hangUp: 'cancel' | 'drain') {
  context = contextOf(clock, tenantOf({ hangUp }));
  return callerSignal(context, clock, BOUND_MS, stopping.signal);
}

describe('with hangUp cancel', () => {
  it('the call ends when the exchange does, for its reason', () => {
    const { signal, dispose } = signalWith('cancel');
    context.leave();
    expect([signal.aborted, signal.reason]).toEqual([true, 'caller_gone']);
    dispose();
    expect(clock.pending).toBe(0);
  });
});

describe('with hangUp drain', () => {
  it('the call goes on when the caller leaves, up to the bound', async () => {
    const { signal } = signalWith('drain');
    context.leave();
    await clock.advance(BOUND_MS - 1);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect([signal.aborted, signal.reason]).toEqual([true, 'caller_gone']);
  });

  it.each(['draining', 'reader_stalled'] as const)('the call ends at once where the exchange is %s', (reason) => {
    const { signal } = signalWith('drain');
    context.stop(reason);
    expect([signal.aborted, signal.reason]).toEqual([true, reason]);
    expect(clock.pending).toBe(0);
  });

  it('the call of a caller that left ends when the process can wait no longer', () => {
    const { signal, dispose } = signalWith('drain');
    context.leave();
    stopping.abort();
    expect(signal.aborted).toBe(true);
    dispose();
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });

  it('no call begins for a caller that had left before it', () => {
    context = contextOf(clock, tenantOf({ hangUp: 'drain' }));
    context.leave();
    const { signal } = callerSignal(context, clock, BOUND_MS, stopping.signal);
    expect([signal.aborted, clock.pending]).toEqual([true, 0]);
  });

  it('nothing is left of it when the call is over, whether the caller left or not', async () => {
    const stays = signalWith('drain');
    stays.dispose();
    context.leave();
    expect([stays.signal.aborted, clock.pending]).toEqual([false, 0]);
    expect(getEventListeners(context.signal, 'abort')).toEqual([]);
    const leaves = signalWith('drain');
    context.leave();
    leaves.dispose();
    await clock.advance(BOUND_MS);
    expect([leaves.signal.aborted, clock.pending]).toEqual([false, 0]);
  });
});
