import type { Ownership } from '../../state/ownership.ts';
import type { RemoteCalls } from './remote-call.ts';
import type { Remotes } from '../remote.ts';

/**
 * Ownership, in the tenants' objects: stored, one answer for all isolates, one call to an object for each question. A claim
 * whose object cannot be reached is lost: nobody is there to write it later.
 */
export function createDurableOwnership(remotes: Pick<Remotes, 'tenant'>, calls: RemoteCalls): Ownership {
  const ask = async <Answer>(call: () => Promise<Answer>): Promise<Answer | { readonly kind: 'unreachable' }> => {
    const said = await calls.ask(async () => ({ answer: await call() }), 0);
    return said === 'unreachable' ? { kind: 'unreachable' } : said.answer;
  };
  return {
    claim: async (tenantId, kind, object) => void (await ask(() => remotes.tenant(tenantId).claim(kind, object))),
    find: (tenantId, kind, id) => ask(() => remotes.tenant(tenantId).findClaim(kind, id)),
    forget: async (tenantId, kind, id) => void (await ask(() => remotes.tenant(tenantId).forgetClaim(kind, id))),
    list: (tenantId, kind, page) => ask(() => remotes.tenant(tenantId).listClaims(kind, page)),
  };
}
