import { describe, expect, it } from 'vitest';
import { createSpending } from '../../src/worker/spending.ts';

const DAY_MS = 86_400_000;

function createStorage() {
  const values = new Map<string, unknown>();
  return { get: (key: string) => values.get(key), put: (key: string, value: unknown) => void values.set(key, value) };
}

describe('what a tenant has spent', () => {
  it('outlives the object that counted it', () => {
    const storage = createStorage();
    createSpending(storage).book('first', DAY_MS, 1.5);
    createSpending(storage).book('second', DAY_MS, 2);
    expect(createSpending(storage).spentUsd(DAY_MS)).toBe(3.5);
  });

  it('is nothing yet in the next period', () => {
    const spending = createSpending(createStorage());
    spending.book('first', DAY_MS, 1.5);
    expect(spending.spentUsd(2 * DAY_MS)).toBe(0);
  });

  it('holds a booking once, however often it arrives', () => {
    const spending = createSpending(createStorage());
    for (let time = 0; time < 3; time++) spending.book('the same', DAY_MS, 1);
    expect(spending.spentUsd(DAY_MS)).toBe(1);
    spending.book('of the next day', 2 * DAY_MS, 4);
    expect(spending.spentUsd(2 * DAY_MS)).toBe(4);
    expect(spending.spentUsd(DAY_MS)).toBe(0);
  });
});
