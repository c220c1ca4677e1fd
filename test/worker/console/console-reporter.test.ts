import { describe, expect, it } from 'vitest';
import { createConsoleReporter } from '../../../src/worker/console/console-reporter.ts';
import {
  NO_INTEREST,
  type Interest,
  type IsolateWord,
  type RemoteConsoleHub,
} from '../../../src/worker/console/console-remote.ts';
import { recordOf } from '../../console/records.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { isolateParts } from '../isolate-words.ts';

/** An isolate in which nothing runs, and a hub that a test answers for. */
function createStage() {
  const clock = createFakeClock();
  const told: IsolateWord[] = [];
  const hub = { interest: NO_INTEREST, failing: 0 };
  let names = 0;
  const reporter = createConsoleReporter({
    clock,
    hub: () =>
      ({
        async tell(word: IsolateWord): Promise<Interest> {
          if (hub.failing-- > 0) throw new Error('the object was moved');
          told.push(word);
          return hub.interest;
        },
      }) as RemoteConsoleHub,
    waitUntil: () => {},
    newName: () => `isolate-${names++}`,
    parts: isolateParts(clock),
  });
  return { clock, reporter, told, hub };
}

const LOOKED_AT: Interest = { inExchanges: true, inPrompts: false };

describe('exchanges that are over', () => {
  it('are told together, within a second, by one name of the isolate', async () => {
    const { clock, reporter, told } = createStage();
    const records = [recordOf(), recordOf(), recordOf()];
    for (const record of records.slice(0, 2)) reporter.record(record);
    await clock.advance(1_000);
    reporter.record(records[2] ?? recordOf());
    await clock.advance(1_000);
    const ids = told.map(({ finished }) => finished.map(({ story }) => story.id));
    expect(ids.flat()).toEqual(records.map(({ id }) => id));
    expect(ids).toHaveLength(2);
    expect(told.map(({ isolate }) => isolate)).toEqual(['isolate-0', 'isolate-0']);
  });

  it('are told at once when there are 500', () => {
    const { reporter, told } = createStage();
    for (let count = 0; count < 501; count++) reporter.record(recordOf());
    expect(told.map(({ finished }) => finished.length)).toEqual([500]);
  });

  it('are told once more where the hub was moved, and after that no more', async () => {
    const { clock, reporter, told, hub } = createStage();
    hub.failing = 1;
    reporter.record(recordOf());
    await clock.advance(1_000);
    expect(told.map(({ finished }) => finished.length)).toEqual([1]);
    hub.failing = 2;
    reporter.record(recordOf());
    await clock.advance(1_000);
    await reporter.report('exchanges');
    expect(told.map(({ finished }) => finished.length)).toEqual([1, 0]);
  });
});

describe('an exchange that runs', () => {
  it('is told of every 5 s while nobody looks, and every 2 s while somebody does', async () => {
    const { clock, reporter, told, hub } = createStage();
    const exchange = Promise.withResolvers<void>();
    reporter.accompany(exchange.promise);
    await clock.advance(4_999);
    expect(told).toHaveLength(0);
    hub.interest = LOOKED_AT;
    await clock.advance(1);
    expect(told).toHaveLength(1);
    await clock.advance(6_000);
    expect(told).toHaveLength(4);
    exchange.resolve();
    await exchange.promise;
    expect(clock.pending).toBe(0);
  });

  it('is told of once, however many run in the isolate', async () => {
    const { clock, reporter, told, hub } = createStage();
    hub.interest = LOOKED_AT;
    await reporter.report('exchanges');
    for (let count = 0; count < 50; count++) {
      await clock.advance(20);
      reporter.accompany(new Promise(() => {}));
    }
    told.length = 0;
    await clock.advance(20_000);
    expect(told.length).toBeGreaterThanOrEqual(9);
    expect(told.length).toBeLessThanOrEqual(21);
  });

  it('that fails is told of no longer, either', async () => {
    const { clock, reporter } = createStage();
    const exchange = Promise.withResolvers<void>();
    reporter.accompany(exchange.promise);
    exchange.reject(new Error('a bug'));
    await exchange.promise.catch(() => {});
    expect(clock.pending).toBe(0);
  });
});

describe('what traffic taught about prompts', () => {
  it('is told when it is asked for, and then every 5 s for as long as somebody wants to know', async () => {
    const { clock, reporter, told, hub } = createStage();
    hub.interest = { inExchanges: true, inPrompts: true };
    await reporter.report('prompts too');
    reporter.accompany(new Promise(() => {}));
    await clock.advance(10_000);
    expect(told.map(({ prompts }) => prompts !== null)).toEqual([true, false, false, true, false, false]);
    hub.interest = LOOKED_AT;
    await reporter.report('exchanges');
    await clock.advance(10_000);
    expect(told.slice(-4).every(({ prompts }) => prompts === null)).toBe(true);
  });
});
