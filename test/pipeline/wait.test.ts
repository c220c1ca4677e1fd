import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { noteWait, wait } from '../../src/pipeline/wait.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { contextOf } from './scripted.ts';

it('a wait is over at its time and not before, and leaves nothing behind', async () => {
  const clock = createFakeClock();
  const { signal } = new AbortController();
  let over: boolean | null = null;
  void wait(clock, 100, signal).then((isOver) => (over = isOver));
  await clock.advance(99);
  expect(over).toBeNull();
  await clock.advance(1);
  expect([over, clock.pending, getEventListeners(signal, 'abort').length]).toEqual([true, 0, 0]);
});

it('a wait is over at once when its signal aborts, and says that it was cut short', async () => {
  const clock = createFakeClock();
  const caller = new AbortController();
  const waiting = wait(clock, 100, caller.signal);
  caller.abort('draining');
  expect(await waiting).toBe(false);
  expect([clock.pending, getEventListeners(caller.signal, 'abort').length]).toEqual([0, 0]);
});

it('nobody waits whose signal has been aborted before', async () => {
  const clock = createFakeClock();
  expect(await wait(clock, 0, AbortSignal.abort())).toBe(false);
  expect(clock.pending).toBe(0);
});

it('a wait that is noted says what for, from when and until when, also where it fails', async () => {
  const clock = createFakeClock();
  const context = contextOf(clock);
  const slot = noteWait('queue', context, wait(clock, 100, context.signal));
  expect(context.notes.waits).toEqual([{ kind: 'queue', fromMs: 0, untilMs: null }]);
  await clock.advance(100);
  expect(await slot).toBe(true);
  await expect(noteWait('hold', context, Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
  expect(context.notes.waits).toEqual([
    { kind: 'queue', fromMs: 0, untilMs: 100 },
    { kind: 'hold', fromMs: 100, untilMs: 100 },
  ]);
});
