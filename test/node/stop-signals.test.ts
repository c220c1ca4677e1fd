import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { stopSignals, type StopSignal } from '../../src/node/stop-signals.ts';
import { createFakeClock } from '../support/fake-clock.ts';

function listen() {
  const source = new EventEmitter();
  const clock = createFakeClock();
  const { first, second } = stopSignals(source, clock);
  return { first, second, clock, send: (signal: StopSignal) => void source.emit(signal) };
}

it('the first signal asks for an end, any later one for an end now', async () => {
  const { first, second, send, clock } = listen();
  send('SIGINT');
  expect(await first).toBe('SIGINT');
  await clock.advance(1_000);
  expect(second.aborted).toBe(false);
  send('SIGTERM');
  expect(second.aborted).toBe(true);
});

it('a second SIGTERM right behind the first counts', () => {
  const { second, send } = listen();
  send('SIGTERM');
  send('SIGTERM');
  expect(second.aborted).toBe(true);
});

it('one Ctrl-C that arrives twice, because npm passes it on, is one', async () => {
  const { second, send, clock } = listen();
  send('SIGINT');
  await clock.advance(20);
  send('SIGINT');
  expect(second.aborted).toBe(false);
  await clock.advance(500);
  send('SIGINT');
  expect(second.aborted).toBe(true);
});
