import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { HASH_SLOTS, hashSlotOf } from '../hash-slot.ts';
import { defineScript } from './redis-script.ts';

/**
 * The masters of a cluster: what it last told of them, and our connections to them. A master that goes, or is one no more,
 * is a connection lost: what it had not passed on to its replica is lost with it, whoever has its keys next.
 */
export interface ClusterMasters {
  /** To each of them there is a connection. */
  areOpen(): boolean;
  /** Whether a master is there; before any is known, any node may be one. */
  has(address: string): boolean;
  /** Writes to each of them: fails where one does not answer, is full, or refuses for another reason. */
  reach(): Promise<unknown>;
}

const REACH = `
redis.call('HSET', KEYS[1], 'at', redis.call('TIME')[1])
redis.call('PEXPIRE', KEYS[1], 10000)
`;

export function followMasters(cluster: Cluster, keyPrefix: string, onLost: () => void): ClusterMasters {
  const write = defineScript<unknown>(cluster, 'reach', 1, REACH);
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
      await Promise.all([...addresses].flatMap(keyOn).map((key) => write([key], [])));
    },
  };

  /** A key that is on this master. None where its hash slots are so few that no number leads there. */
  function keyOn(address: string): [string] | [] {
    for (let tag = 0; tag < HASH_SLOTS; tag++) {
      if (cluster.slots[hashSlotOf(`${tag}`)]?.[0] === address) return [`${keyPrefix}{${tag}}:reached`];
    }
    return [];
  }
}

/** As ioredis names nodes. */
export function addressOf({ host, port }: Pick<RedisOptions, 'host' | 'port'>): string {
  return `${host}:${port}`;
}
