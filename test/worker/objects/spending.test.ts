import { describe, expect, it } from 'vitest';
import { spentIn } from '../../../src/state/ledger.ts';
import { createSpending } from '../../../src/worker/objects/spending.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createKeyValues } from '../key-values.ts';

const DAY_MS = 86_400_000;

describe('what a tenant has spent', () => {
  it('outlives the object that counted it, but for its last second', async () => {
    const storage = createKeyValues();
    const clock = createFakeClock();
    createSpending(storage, clock).book('first', DAY_MS, 1.5);
    await clock.advance(1_000);
    createSpending(storage, clock).book('second', DAY_MS, 2);
    await clock.advance(1_000);
    createSpending(storage, clock).book('third', DAY_MS, 4);
    expect(spentIn(createSpending(storage, clock).account, DAY_MS)).toBe(3.5);
  });

  it('is written once a second at most, with all that was booked by then', async () => {
    const storage = createKeyValues();
    const clock = createFakeClock();
    const spending = createSpending(storage, clock);
    for (const booking of ['first', 'second', 'third']) spending.book(booking, DAY_MS, 1);
    expect(storage.writes).toBe(0);
    await clock.advance(1_000);
    expect(storage.writes).toBe(1);
    expect(spentIn(createSpending(storage, clock).account, DAY_MS)).toBe(3);
    expect(clock.pending).toBe(0);
  });

  it('is nothing yet in the next period', () => {
    const spending = createSpending(createKeyValues(), createFakeClock());
    spending.book('first', DAY_MS, 1.5);
    expect(spentIn(spending.account, 2 * DAY_MS)).toBe(0);
  });

  it('holds a booking once, however often it arrives', () => {
    const spending = createSpending(createKeyValues(), createFakeClock());
    for (let time = 0; time < 3; time++) spending.book('the same', DAY_MS, 1);
    expect(spentIn(spending.account, DAY_MS)).toBe(1);
    spending.book('of the next day', 2 * DAY_MS, 4);
    expect(spentIn(spending.account, 2 * DAY_MS)).toBe(4);
    expect(spentIn(spending.account, DAY_MS)).toBe(1);
  });

  it('is kept of the three periods that were booked in last', () => {
    const spending = createSpending(createKeyValues(), createFakeClock());
    for (const day of [4, 5, 6, 7, 5]) spending.book(`${day} of ${spending.account.length}`, day * DAY_MS, day);
    expect([4, 5, 6, 7].map((day) => spentIn(spending.account, day * DAY_MS))).toEqual([0, 10, 6, 7]);
  });
});
