import type { Clock } from '../core/clock.ts';

/**
 * What a tenant has spent in the current budget period, in an object's storage. Bookings carry names: who did not hear
 * that one has arrived sends it again, and the newest names are kept to tell it from a new one. It is written once in a
 * while: an object's answers wait until what it has written is on disk, which would hold up every request of the tenant.
 */
export interface Spending {
  spentUsd(periodStartMs: number): number;
  book(booking: string, periodStartMs: number, usd: number): void;
}

/** The part of an object's synchronous storage that is used. */
export interface KeyValues {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
}

interface Account {
  readonly periodStartMs: number;
  readonly usd: number;
}

const ACCOUNT = 'account';
const NAMES_KEPT = 1_000;
/** What is younger is lost with an object that ends. A timer keeps it from ending for idleness. */
const WRITTEN_AFTER_MS = 1_000;

export function createSpending(storage: KeyValues, clock: Clock): Spending {
  const booked = new Set<string>();
  let account = (storage.get(ACCOUNT) as Account | undefined) ?? null;
  const spentUsd = (periodStartMs: number): number => (account?.periodStartMs === periodStartMs ? account.usd : 0);
  let isWriteDue = false;
  const write = (): void => {
    isWriteDue = false;
    storage.put(ACCOUNT, account);
  };
  return {
    spentUsd,
    book(booking, periodStartMs, usd) {
      if (booked.has(booking)) return;
      booked.add(booking);
      if (booked.size > NAMES_KEPT) booked.delete(booked.values().next().value as string);
      if (account && account.periodStartMs > periodStartMs) return; // late, of a period that is over
      account = { periodStartMs, usd: spentUsd(periodStartMs) + usd };
      if (isWriteDue) return;
      isWriteDue = true;
      clock.after(WRITTEN_AFTER_MS, write);
    },
  };
}
