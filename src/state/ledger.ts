/** Port: what each tenant has spent in the current budget period, in USD. */
export interface Ledger {
  /** @param periodStartMs first millisecond of the period; an amount of an earlier period counts as 0. */
  spentUsd(tenantId: string, periodStartMs: number): number;
  book(tenantId: string, periodStartMs: number, usd: number): void;
}

/** One process's ledger: it starts from 0 with the process. */
export function createMemoryLedger(): Ledger {
  const accounts = new Map<string, { periodStartMs: number; usd: number }>();
  return {
    spentUsd(tenantId, periodStartMs) {
      const account = accounts.get(tenantId);
      return account?.periodStartMs === periodStartMs ? account.usd : 0;
    },
    book(tenantId, periodStartMs, usd) {
      accounts.set(tenantId, { periodStartMs, usd: this.spentUsd(tenantId, periodStartMs) + usd });
    },
  };
}
