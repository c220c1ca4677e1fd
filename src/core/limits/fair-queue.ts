import { createTenantShares } from './tenant-shares.ts';

/**
 * Who is next at a contended upstream. Tenants are ranked by `tenant-shares.ts`; of one tenant and one lane (a class of
 * models with a quota of its own) the first to come is the first to go. The one chosen for a lane stays its head until it
 * fits: otherwise small requests would pass a big one for ever. A lane whose head does not fit stops no other lane.
 * Cost of a grant: O(tenants that wait), not O(waiters); of leaving: O(1).
 */
export interface Ticket<Item> {
  readonly tenant: string;
  readonly lane: string;
  readonly sinceMs: number;
  readonly item: Item;
}

export interface FairQueue<Item> {
  readonly size: number;
  /** @param weight share of a contended upstream, above 0; the newest one of a tenant counts for all its tickets. */
  add(tenant: string, weight: number, lane: string, item: Item, nowMs: number): Ticket<Item>;
  /** Leaves the line; what is not in it (any more) is left alone. */
  remove(ticket: Ticket<Item>, nowMs: number): void;
  /**
   * Takes out whoever is next and books a slot for its tenant; null where nobody's turn has come.
   * @param limit slots there are now, of which the shares are made.
   * @param fits asked for the head of each lane, once a call.
   */
  next(limit: number, nowMs: number, fits: (ticket: Ticket<Item>) => boolean): Ticket<Item> | null;
  /** A slot that `next` booked is free again. */
  release(tenant: string, nowMs: number): void;
  /** Tickets of this tenant in the line, and the share of `limit` slots it has, or would have with one more. */
  standing(tenant: string, weight: number, limit: number): { readonly waiting: number; readonly share: number };
}

interface Lane<Item> {
  readonly lines: Map<string, Set<Ticket<Item>>>;
  head: Ticket<Item> | null;
}

interface Candidate<Item> {
  readonly ticket: Ticket<Item>;
  readonly lane: Lane<Item>;
}

export function createFairQueue<Item>(): FairQueue<Item> {
  const shares = createTenantShares();
  const lanes = new Map<string, Lane<Item>>();
  let size = 0;

  const takeOut = (ticket: Ticket<Item>): boolean => {
    const lane = lanes.get(ticket.lane);
    const line = lane?.lines.get(ticket.tenant);
    if (!lane || !line?.delete(ticket)) return false;
    if (lane.head === ticket) lane.head = null;
    if (line.size === 0) lane.lines.delete(ticket.tenant);
    if (lane.lines.size === 0) lanes.delete(ticket.lane);
    size--;
    return true;
  };

  const chooseHead = (lane: Lane<Item>, limit: number, nowMs: number): Ticket<Item> | null => {
    const tenant = shares.first(headTimes(lane), limit, nowMs);
    return tenant === null ? null : first(lane.lines.get(tenant));
  };

  const candidates = (limit: number, nowMs: number, fits: (ticket: Ticket<Item>) => boolean): Candidate<Item>[] => {
    const found: Candidate<Item>[] = [];
    for (const lane of lanes.values()) {
      lane.head ??= chooseHead(lane, limit, nowMs);
      if (lane.head && fits(lane.head)) found.push({ ticket: lane.head, lane });
    }
    return found;
  };

  /** Of heads that all fit; of two of one tenant, the one that came first. */
  const fairest = (fitting: Candidate<Item>[], limit: number, nowMs: number): Candidate<Item> | undefined => {
    const inOrder = fitting.toSorted((a, b) => a.ticket.sinceMs - b.ticket.sinceMs);
    const heads = new Map(inOrder.toReversed().map(({ ticket }) => [ticket.tenant, ticket.sinceMs]));
    const tenant = shares.first(heads, limit, nowMs);
    return inOrder.find(({ ticket }) => ticket.tenant === tenant);
  };

  return {
    get size() {
      return size;
    },
    add(tenant, weight, laneName, item, nowMs) {
      const ticket = { tenant, lane: laneName, sinceMs: nowMs, item };
      const lane = lanes.get(laneName) ?? { lines: new Map<string, Set<Ticket<Item>>>(), head: null };
      lanes.set(laneName, lane);
      const line = lane.lines.get(tenant) ?? new Set();
      lane.lines.set(tenant, line.add(ticket));
      shares.wait(tenant, weight, nowMs);
      size++;
      return ticket;
    },
    remove(ticket, nowMs) {
      if (takeOut(ticket)) shares.leave(ticket.tenant, nowMs);
    },
    next(limit, nowMs, fits) {
      const fitting = candidates(limit, nowMs, fits);
      const chosen = fitting.length > 1 ? fairest(fitting, limit, nowMs) : fitting[0];
      for (const { lane } of fitting) lane.head = null; // only a head that does not fit is kept: the rest is chosen anew
      if (!chosen) return null;
      takeOut(chosen.ticket);
      shares.serve(chosen.ticket.tenant, nowMs);
      return chosen.ticket;
    },
    release: (tenant, nowMs) => shares.release(tenant, nowMs),
    standing: (tenant, weight, limit) => shares.standing(tenant, weight, limit),
  };
}

function* headTimes<Item>(lane: Lane<Item>): Generator<readonly [string, number]> {
  for (const [tenant, line] of lane.lines) yield [tenant, first(line)?.sinceMs ?? 0];
}

function first<Value>(values: Iterable<Value> | undefined): Value | null {
  for (const value of values ?? []) return value;
  return null;
}
