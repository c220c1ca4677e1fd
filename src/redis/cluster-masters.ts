import type { Cluster, Redis, RedisOptions } from 'ioredis';

/**
 * The masters of a cluster: what it last told of them, and our connections to them. A master that goes, or is one no more,
 * is a connection lost: what it had not passed on to its replica is lost with it, whoever has its keys next.
 */
export interface ClusterMasters {
  /** To each of them there is a connection. */
  areOpen(): boolean;
  /** Whether a master is there; before any is known, any node may be one. */
  has(address: string): boolean;
  /** Fails where a master does not answer, or refuses. */
  reach(): Promise<unknown>;
}

export function followMasters(cluster: Cluster, onLost: () => void): ClusterMasters {
  let connections = new Set<Redis>();
  let addresses = new Set<string>();
  cluster.on('-node', (node: Redis) => {
    if (connections.delete(node)) onLost();
  });
  cluster.on('refresh', () => {
    const before = connections;
    connections = new Set(cluster.nodes('master'));
    addresses = new Set(cluster.slots.flatMap(([address]) => address ?? []));
    if ([...before].some((node) => !connections.has(node))) onLost();
  });
  return {
    areOpen: () => cluster.status === 'ready' && [...connections].every(({ status }) => status === 'ready'),
    has: (address) => addresses.size === 0 || addresses.has(address),
    async reach() {
      cluster.refreshSlotsCache(); // what has changed is known at the next time
      const nodes = new Map(cluster.nodes('master').map((node) => [addressOf(node.options), node]));
      await Promise.all([...addresses].map((address) => isServing(nodes.get(address))));
    },
  };
}

/** A node that others take for gone, or that does not know who has the other keys, refuses what is its own as well. */
async function isServing(master: Redis | undefined): Promise<void> {
  if (!master) throw new Error('a master of the cluster is not there');
  if (!(await master.cluster('INFO')).includes('cluster_state:ok')) throw new Error('CLUSTERDOWN');
}

/** As ioredis names nodes. */
export function addressOf({ host, port }: Pick<RedisOptions, 'host' | 'port'>): string {
  return `${host}:${port}`;
}
