import type { Clock } from '../../core/clock.ts';
import { dropOldest } from '../../core/newest.ts';
import { NOTHING_SPENT, withBooking, type Account } from '../../state/ledger.ts';
import { createLateWrites, type KeyValues } from './late-writes.ts';

/**
 * What a tenant has spent in its latest budget periods, in an object's storage but for its last second. Bookings carry
 * names: who did not hear that one has arrived sends it again, and the newest names are kept to tell it from a new one.
 */
export interface Spending {
  readonly account: Account;
  book(booking: string, periodStartMs: number, usd: number): void;
}

const KEY = 'spent';
const NAMES_KEPT = 1_000;
const WRITTEN_AFTER_MS = 1_000;

export function createSpending(storage: KeyValues, clock: Clock): Spending {
  const booked = new Set<string>();
  let account = (storage.get(KEY) as Account | undefined) ?? NOTHING_SPENT;
  const write = createLateWrites({ storage, clock, key: KEY, afterMs: WRITTEN_AFTER_MS, value: () => account });
  return {
    get account() {
      return account;
    },
    book(booking, periodStartMs, usd) {
      if (booked.has(booking)) return;
      booked.add(booking);
      dropOldest(booked, NAMES_KEPT);
      account = withBooking(account, periodStartMs, usd);
      write();
    },
  };
}
