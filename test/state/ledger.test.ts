import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryLedger, type Ledger } from '../../src/state/ledger.ts';

const [MONDAY, TUESDAY] = [Date.UTC(2026, 10, 23), Date.UTC(2026, 10, 24)];

let ledger: Ledger;
beforeEach(() => {
  ledger = createMemoryLedger();
});

describe('the memory ledger', () => {
  it('adds up what a tenant spends in one period', async () => {
    ledger.book('acme', MONDAY, 1.5);
    ledger.book('acme', MONDAY, 0.25);
    expect(await ledger.spentUsd('acme', MONDAY)).toBe(1.75);
  });

  it('knows of nothing spent by tenants it has not heard of', async () => {
    ledger.book('acme', MONDAY, 1);
    expect(await ledger.spentUsd('globex', MONDAY)).toBe(0);
  });

  it('starts each period at nothing', async () => {
    ledger.book('acme', MONDAY, 1);
    expect(await ledger.spentUsd('acme', TUESDAY)).toBe(0);
    ledger.book('acme', TUESDAY, 2);
    expect(await ledger.spentUsd('acme', TUESDAY)).toBe(2);
  });
});
