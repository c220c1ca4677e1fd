import type { Clock } from '../../core/clock.ts';
import { NOTHING_SPENT, spentIn, withBooking, withHeard, type Account, type Ledger } from '../../state/ledger.ts';
import type { RemoteCalls } from './remote-call.ts';
import type { Remotes } from '../remote.ts';

/**
 * The ledger, in the tenants' objects. What a tenant has spent comes with each of its slots, so that a budget costs a
 * request no call: it is answered from what this isolate has heard and has booked since, and only one that has heard nothing
 * for a minute waits for the object. What is known here is never more than was spent, because amounts only grow; it is less
 * by what others have booked since the last word, and a request that was let through by an old word brings a new one. Where
 * the object cannot be asked, what it said last counts: a tenant is rather let through than stopped by us.
 */
export interface DurableLedger extends Ledger {
  /** An object has said what its tenant has spent. */
  hear(tenantId: string, account: Account): void;
}

interface Known {
  readonly account: Account;
  readonly heardAtMs: number;
  /** Nobody waits for the answer; it is not asked for twice in a moment. */
  readonly askedAtMs: number;
}

/** Then the object is asked once more, while what was heard is believed. */
const FRESH_MS = 1_000;
const BELIEVED_MS = 60_000;

export interface DurableLedgerParts {
  readonly remotes: Pick<Remotes, 'tenant'>;
  readonly calls: RemoteCalls;
  readonly clock: Clock;
  readonly newName: () => string;
}

export function createDurableLedger({ remotes, calls, clock, newName }: DurableLedgerParts): DurableLedger {
  /** Of tenants that have a budget: those that were asked for. */
  const known = new Map<string, Known>();
  const learn = (tenantId: string, account: Account): void => {
    const before = known.get(tenantId)?.account ?? NOTHING_SPENT;
    const nowMs = clock.nowMs();
    known.set(tenantId, { account: withHeard(before, account), heardAtMs: nowMs, askedAtMs: nowMs });
  };
  const ask = async (tenantId: string): Promise<void> => {
    const account = await calls.ask(() => remotes.tenant(tenantId).spent(), 0);
    if (account !== 'unreachable') learn(tenantId, account);
  };
  const refresh = (tenantId: string, said: Known, nowMs: number): void => {
    if (nowMs - said.askedAtMs <= FRESH_MS) return;
    known.set(tenantId, { ...said, askedAtMs: nowMs });
    calls.tell(() => ask(tenantId));
  };
  return {
    async spentUsd(tenantId, periodStartMs) {
      const nowMs = clock.nowMs();
      const said = known.get(tenantId);
      if (said && nowMs - said.heardAtMs <= BELIEVED_MS) refresh(tenantId, said, nowMs);
      else await ask(tenantId);
      return spentIn(known.get(tenantId)?.account ?? NOTHING_SPENT, periodStartMs);
    },
    book(tenantId, periodStartMs, usd) {
      const said = known.get(tenantId);
      if (said) known.set(tenantId, { ...said, account: withBooking(said.account, periodStartMs, usd) });
      const booking = newName();
      calls.tell(() =>
        calls.ask(async () => ({ done: await remotes.tenant(tenantId).book(booking, periodStartMs, usd) }), 0),
      );
    },
    hear(tenantId, account) {
      if (known.has(tenantId)) learn(tenantId, account);
    },
  };
}
