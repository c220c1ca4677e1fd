import type { StateEngine } from '../../state/engine.ts';
import type { SlotCount } from '../../state/slots.ts';
import type { Remotes, UpstreamStanding } from '../remote.ts';

/**
 * An engine whose gauges are those of the objects. They can only be asked for, and the gauges are read at once: so they are
 * asked for first, and stand while `during` runs, which must not wait. Routing never sees them.
 */
export interface Standings {
  readonly engine: StateEngine;
  /** Objects that do not answer are left out. Returns the tenants that said that they are idle. */
  during(tenants: readonly string[], run: () => void): Promise<readonly string[]>;
}

/** What objects have said. */
export interface Standing {
  readonly tenants: ReadonlyMap<string, SlotCount>;
  readonly upstreams: ReadonlyMap<string, UpstreamStanding>;
}

export interface StandingsOptions {
  readonly engine: StateEngine;
  readonly remotes: Pick<Remotes, 'tenant' | 'upstream'>;
  /** A tenant asks for a slot. */
  readonly onAsk: (tenant: string) => void;
}

export function createStandings({ engine, remotes, onAsk }: StandingsOptions): Standings {
  let read: Standing | null = null;
  const { slots, capacity } = engine;
  return {
    engine: {
      ...engine,
      slots: {
        ...slots,
        acquire(name, rules, signal) {
          onAsk(name);
          return slots.acquire(name, rules, signal);
        },
        counts: () => read?.tenants ?? slots.counts(),
      },
      capacity: {
        ...capacity,
        load: (id) => read?.upstreams.get(id)?.load ?? capacity.load(id),
        quotas: () => (read ? quotasOf(read.upstreams) : capacity.quotas()),
      },
    },
    async during(tenants, run) {
      const { idleTenants, ...standing } = await readStanding(remotes, tenants, [...capacity.counts().keys()]);
      read = standing;
      try {
        run();
      } finally {
        read = null;
      }
      return idleTenants;
    },
  };
}

/** Of these tenants, the ones that hold or wait for a slot, and those that said that they do neither. */
export async function readStanding(
  remotes: Pick<Remotes, 'tenant' | 'upstream'>,
  tenants: readonly string[],
  upstreams: readonly string[],
): Promise<Standing & { readonly idleTenants: readonly string[] }> {
  const [counts, standings] = await Promise.all([
    answers(tenants, (id) => remotes.tenant(id).count()),
    answers(upstreams, (id) => remotes.upstream(id).standing()),
  ]);
  const isIdle = ({ inUse, waiting }: SlotCount): boolean => inUse === 0 && waiting === 0;
  return {
    tenants: new Map(counts.filter(([, count]) => !isIdle(count))),
    idleTenants: counts.filter(([, count]) => isIdle(count)).map(([tenant]) => tenant),
    upstreams: known(standings),
  };
}

async function answers<Answer>(
  ids: readonly string[],
  ask: (id: string) => Promise<Answer>,
): Promise<[string, Answer][]> {
  const settled = await Promise.allSettled(ids.map(async (id): Promise<[string, Answer]> => [id, await ask(id)]));
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/** One that nobody has asked for capacity yet does not know its ceiling. */
function known(standings: readonly [string, UpstreamStanding][]): Map<string, UpstreamStanding> {
  return new Map(standings.filter(([, { load }]) => load.limit > 0));
}

function quotasOf(upstreams: ReadonlyMap<string, UpstreamStanding>) {
  return [...upstreams].flatMap(([upstream, { quotas }]) => quotas.map((quota) => ({ ...quota, upstream })));
}
