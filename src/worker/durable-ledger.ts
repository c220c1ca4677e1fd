import type { Ledger } from '../state/ledger.ts';
import type { RemoteCalls } from './remote-call.ts';
import type { Remotes } from './remote.ts';

/**
 * The ledger, in the tenants' objects. Where one cannot be asked, what it said last counts: a tenant is rather let through
 * than stopped by us.
 */
export function createDurableLedger(
  remotes: Pick<Remotes, 'tenant'>,
  calls: RemoteCalls,
  newName: () => string,
): Ledger {
  const lastSaid = new Map<string, { readonly periodStartMs: number; readonly usd: number }>();
  return {
    async spentUsd(tenantId, periodStartMs) {
      const answer = await calls.ask(async () => ({ usd: await remotes.tenant(tenantId).spentUsd(periodStartMs) }), 0);
      if (answer !== 'unreachable') lastSaid.set(tenantId, { periodStartMs, usd: answer.usd });
      const said = lastSaid.get(tenantId);
      return said?.periodStartMs === periodStartMs ? said.usd : 0;
    },
    book(tenantId, periodStartMs, usd) {
      const booking = newName();
      calls.tell(() =>
        calls.ask(async () => ({ done: await remotes.tenant(tenantId).book(booking, periodStartMs, usd) }), 0),
      );
    },
  };
}
