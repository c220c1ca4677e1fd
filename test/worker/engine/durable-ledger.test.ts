import { beforeEach, describe, expect, it } from 'vitest';
import { withBooking, type Account } from '../../../src/state/ledger.ts';
import { createDurableLedger, type DurableLedger } from '../../../src/worker/engine/durable-ledger.ts';
import { createRemoteCalls } from '../../../src/worker/engine/remote-call.ts';
import type { RemoteTenant } from '../../../src/worker/remote.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';

const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;

/** The ledger of one isolate, beside an object in which others book as well. */
let clock: FakeClock;
let account: Account;
let asked: number;
let ledger: DurableLedger;
beforeEach(() => {
  clock = createFakeClock();
  account = [{ periodStartMs: DAY_MS, usd: 1 }];
  asked = 0;
  const unasked = (): never => {
    throw new Error('nobody asks for that here');
  };
  const tenant: RemoteTenant = {
    acquire: unasked,
    leave: unasked,
    tell: unasked,
    count: unasked,
    claim: unasked,
    findClaim: unasked,
    forgetClaim: unasked,
    listClaims: unasked,
    async spent() {
      asked++;
      return account;
    },
    async book(_booking, periodStartMs, usd) {
      account = withBooking(account, periodStartMs, usd);
    },
  };
  const calls = createRemoteCalls({ clock, waitUntil: () => {}, newName: () => 'name' });
  ledger = createDurableLedger({ remotes: { tenant: () => tenant }, calls, clock, newName: () => 'booking' });
});

describe('what a tenant has spent', () => {
  it('is asked for once, and known from then on by what its slots bring and what is booked here', async () => {
    expect(await ledger.spentUsd('acme', DAY_MS)).toBe(1);
    ledger.book('acme', DAY_MS, 0.5);
    expect(await ledger.spentUsd('acme', DAY_MS)).toBe(1.5);
    ledger.hear('acme', [{ periodStartMs: DAY_MS, usd: 4 }]);
    expect(await ledger.spentUsd('acme', DAY_MS)).toBe(4);
    expect(asked).toBe(1);
  });

  it('is not made less by a word that was given before a booking from here had arrived', async () => {
    await ledger.spentUsd('acme', DAY_MS);
    ledger.book('acme', DAY_MS, 0.5);
    ledger.hear('acme', [{ periodStartMs: DAY_MS, usd: 1 }]);
    expect(await ledger.spentUsd('acme', DAY_MS)).toBe(1.5);
  });

  it('is not made more by a word that holds a booking from here already', async () => {
    await ledger.spentUsd('acme', DAY_MS);
    ledger.book('acme', DAY_MS, 0.5);
    ledger.hear('acme', [{ periodStartMs: DAY_MS, usd: 1.5 }]);
    expect(await ledger.spentUsd('acme', DAY_MS)).toBe(1.5);
  });

  it('is answered by an old word at once, which is asked after once', async () => {
    await ledger.spentUsd('acme', DAY_MS);
    account = [{ periodStartMs: DAY_MS, usd: 9 }];
    await clock.advance(SECOND_MS + 1);
    expect(await Promise.all([1, 2, 3].map(() => ledger.spentUsd('acme', DAY_MS)))).toEqual([1, 1, 1]);
    await clock.advance(0);
    expect(asked).toBe(2);
    expect(await ledger.spentUsd('acme', DAY_MS)).toBe(9);
  });

  it('is waited for where nothing was heard for a minute', async () => {
    await ledger.spentUsd('acme', DAY_MS);
    account = [{ periodStartMs: DAY_MS, usd: 9 }];
    await clock.advance(60 * SECOND_MS + 1);
    expect(await ledger.spentUsd('acme', DAY_MS)).toBe(9);
  });

  it('is nothing in a new period, whatever is heard late of the one before', async () => {
    await ledger.spentUsd('acme', DAY_MS);
    expect(await ledger.spentUsd('acme', 2 * DAY_MS)).toBe(0);
    ledger.book('acme', 2 * DAY_MS, 0.25);
    ledger.hear('acme', [{ periodStartMs: DAY_MS, usd: 5 }]);
    expect(await ledger.spentUsd('acme', 2 * DAY_MS)).toBe(0.25);
  });

  it('is not kept of tenants that nobody asks for: they have no budget', async () => {
    ledger.hear('globex', [{ periodStartMs: DAY_MS, usd: 7 }]);
    expect(await ledger.spentUsd('globex', DAY_MS)).toBe(1);
    expect(asked).toBe(1);
  });
});
