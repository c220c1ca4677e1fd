/** Port: what each tenant has spent in the current budget period, in USD. */
export interface Ledger {
  /** @param periodStartMs first millisecond of the period; an amount of an earlier period counts as 0. */
  spentUsd(tenantId: string, periodStartMs: number): Promise<number>;
  /** Never fails an exchange: what cannot be written is written when it can. */
  book(tenantId: string, periodStartMs: number, usd: number): void;
}

/** What was spent in one period. */
export interface PeriodAmount {
  readonly periodStartMs: number;
  readonly usd: number;
}

/**
 * What was spent in the periods that were booked in last, the last of them at the end. More than one: a booking of the period
 * before may come late, and a tenant whose budget is counted by month from today on has days on record that began later.
 */
export type Account = readonly PeriodAmount[];

export const NOTHING_SPENT: Account = [];

const PERIODS_KEPT = 3;

export function spentIn(account: Account, periodStartMs: number): number {
  return account.find((one) => one.periodStartMs === periodStartMs)?.usd ?? 0;
}

export function withBooking(account: Account, periodStartMs: number, usd: number): Account {
  return withAmount(account, { periodStartMs, usd: spentIn(account, periodStartMs) + usd });
}

/** Two views of one tenant, neither of them whole: amounts only grow, so that of each period the larger has heard more. */
export function withHeard(account: Account, heard: Account): Account {
  return heard.reduce(
    (all, { periodStartMs, usd }) =>
      withAmount(all, { periodStartMs, usd: Math.max(usd, spentIn(all, periodStartMs)) }),
    account,
  );
}

function withAmount(account: Account, amount: PeriodAmount): Account {
  const others = account.filter(({ periodStartMs }) => periodStartMs !== amount.periodStartMs);
  return [...others, amount].slice(-PERIODS_KEPT);
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
