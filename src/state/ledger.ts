/** Port: what each tenant has spent in the current budget period, in USD. */
export interface Ledger {
  /** @param periodStartMs first millisecond of the period; an amount of an earlier period counts as 0. */
  spentUsd(tenantId: string, periodStartMs: number): Promise<number>;
  /** Never fails an exchange: what cannot be written is written when it can. */
  book(tenantId: string, periodStartMs: number, usd: number): void;
}

/** What was spent in the newest period that anything was booked in. */
export interface Account {
  readonly periodStartMs: number;
  readonly usd: number;
}

export const NOTHING_SPENT: Account = { periodStartMs: 0, usd: 0 };

export function spentIn(account: Account, periodStartMs: number): number {
  return account.periodStartMs === periodStartMs ? account.usd : 0;
}

/** What comes late, of a period that is over, is left out. */
export function withBooking(account: Account, periodStartMs: number, usd: number): Account {
  if (account.periodStartMs > periodStartMs) return account;
  return { periodStartMs, usd: spentIn(account, periodStartMs) + usd };
}

/** One process's ledger: it starts from 0 with the process. */
export function createMemoryLedger(): Ledger {
  const accounts = new Map<string, Account>();
  const accountOf = (tenantId: string): Account => accounts.get(tenantId) ?? NOTHING_SPENT;
  return {
    spentUsd: async (tenantId, periodStartMs) => spentIn(accountOf(tenantId), periodStartMs),
    book(tenantId, periodStartMs, usd) {
      accounts.set(tenantId, withBooking(accountOf(tenantId), periodStartMs, usd));
    },
  };
}
