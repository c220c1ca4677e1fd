/**
 * What a tenant has spent in the current budget period, in an object's storage. Bookings carry names: who did not hear
 * that one has arrived sends it again, and the newest names are kept to tell it from a new one.
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

export function createSpending(storage: KeyValues): Spending {
  const booked = new Set<string>();
  const spentUsd = (periodStartMs: number): number => {
    const account = storage.get(ACCOUNT) as Account | undefined;
    return account?.periodStartMs === periodStartMs ? account.usd : 0;
  };
  return {
    spentUsd,
    book(booking, periodStartMs, usd) {
      if (booked.has(booking)) return;
      booked.add(booking);
      if (booked.size > NAMES_KEPT) booked.delete(booked.values().next().value as string);
      storage.put(ACCOUNT, { periodStartMs, usd: spentUsd(periodStartMs) + usd } satisfies Account);
    },
  };
}
