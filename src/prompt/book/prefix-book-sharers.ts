import type { SharedPrefix } from './prefix-book-node.ts';

/**
 * Which tenants use a prefix, and how often. The room is one for all prefixes together, so that one that a thousand
 * tenants share can name them all; when it is full, a prefix takes no more than a few new ones, and counts too few.
 */
export interface Sharers {
  count(node: Shared, tenant: string): void;
  release(node: Shared): void;
}

type Shared = Pick<SharedPrefix, 'tenants'>;

/** Pairs of a prefix and a tenant, at some 50 bytes: 1 MB, and 0.8 MB of what every prefix has room for in any case. */
const MAX_SHARERS = 20_000;
const SURE_SHARERS = 4;

export function createSharers(): Sharers {
  let held = 0;
  return {
    count({ tenants }, tenant) {
      const requests = tenants.get(tenant);
      if (requests === undefined && held >= MAX_SHARERS && tenants.size >= SURE_SHARERS) return;
      if (requests === undefined) held++;
      tenants.set(tenant, (requests ?? 0) + 1);
    },
    release({ tenants }) {
      held -= tenants.size;
      tenants.clear();
    },
  };
}
