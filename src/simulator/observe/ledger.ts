import type { CacheUsage } from '../cache/cache-types.ts';

/** What was billed, by workspace and model: the figures a gateway's own have to agree with. */
export interface Bill {
  /** Calls of /v1/messages that named a known model, refused ones too. */
  attempts: number;
  /** Those whose answer began. */
  requests: number;
  uncachedTokens: number;
  readTokens: number;
  write5mTokens: number;
  write1hTokens: number;
  outputTokens: number;
}

export interface Ledger {
  bill(workspace: string, model: string): Bill;
  /** `{workspace: {model: bill}}` */
  totals(): Record<string, Record<string, Bill>>;
  clear(): void;
}

export function createLedger(): Ledger {
  const bills = new Map<string, Map<string, Bill>>();
  return {
    bill(workspace, model) {
      const models = bills.get(workspace) ?? new Map<string, Bill>();
      bills.set(workspace, models);
      const bill = models.get(model) ?? { attempts: 0, requests: 0, ...NOTHING, outputTokens: 0 };
      models.set(model, bill);
      return bill;
    },
    totals: () =>
      Object.fromEntries([...bills].map(([workspace, models]) => [workspace, Object.fromEntries(models)] as const)),
    clear: () => bills.clear(),
  };
}

const NOTHING: CacheUsage = { uncachedTokens: 0, readTokens: 0, write5mTokens: 0, write1hTokens: 0 };

export function addInput(bill: Bill, usage: CacheUsage): void {
  bill.requests += 1;
  bill.uncachedTokens += usage.uncachedTokens;
  bill.readTokens += usage.readTokens;
  bill.write5mTokens += usage.write5mTokens;
  bill.write1hTokens += usage.write1hTokens;
}
