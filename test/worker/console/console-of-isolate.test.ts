import { describe, expect, it } from 'vitest';
import { createIsolateConsole } from '../../../src/worker/console/console-of-isolate.ts';
import { NO_INTEREST, type RemoteConsoleHub } from '../../../src/worker/console/console-remote.ts';
import { recordOf } from '../../console/records.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { isolateParts } from '../isolate-words.ts';

function createStage(isOn: boolean) {
  const clock = createFakeClock();
  const asked: string[] = [];
  const hub = new Proxy({} as RemoteConsoleHub, {
    get: (_target, name) => async () => {
      asked.push(String(name));
      return NO_INTEREST;
    },
  });
  const console = createIsolateConsole({ clock, isOn, hub: () => hub, waitUntil: () => {}, newName: () => 'one' });
  return { clock, asked, console, ...console.create({ ...isolateParts(clock), sha256Hex: (text) => text }) };
}

describe('the console of an isolate', () => {
  it('tells what it knows before it asks', async () => {
    const { asked, source } = createStage(true);
    await source.snapshot();
    await source.savingsCsv();
    expect(asked).toEqual(['tell', 'snapshot', 'tell', 'savingsCsv']);
  });

  it('tells nothing at all, and keeps no time, where the console is off', async () => {
    const { clock, asked, console, record } = createStage(false);
    record(recordOf());
    console.accompany(new Promise(() => {}));
    await clock.advance(60_000);
    expect(asked).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
