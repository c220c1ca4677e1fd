/** Port: what each tenant has spent in the current budget period, in USD. */
export interface Ledger {
  /** @param periodStartMs first millisecond of the period; an amount of an earlier period counts as 0. */
  spentUsd(tenantId: string, periodStartMs: number): Promise<number>;
  /** Never fails an exchange: what cannot be written is written when it can. */
  book(tenantId: string, periodStartMs: number, usd: number): void;
}

/** One process's ledger: it starts from 0 with the process. */
export function createMemoryLedger(): Ledger {
  const accounts = new Map<string, { periodStartMs: number; usd: number }>();
  const spentUsd = (tenantId: string, periodStartMs: number): number => {
    const account = accounts.get(tenantId);
    return account?.periodStartMs === periodStartMs ? account.usd : 0;
  };
  return {
    spentUsd: async (tenantId, periodStartMs) => spentUsd(tenantId, periodStartMs),
    book(tenantId, periodStartMs, usd) {
      const account = accounts.get(tenantId);
      if (account && account.periodStartMs > periodStartMs) return; // late, of a period that is over
      accounts.set(tenantId, { periodStartMs, usd: spentUsd(tenantId, periodStartMs) + usd });
    },
  };
}
