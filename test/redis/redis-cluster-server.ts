import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startRedisServer, type RedisServer } from '../support/redis-server.ts';

/** A Redis Cluster of a test's own: redis-servers that know of each other, each of which can be killed or made silent. */
export interface RedisClusterServer {
  /** Names two of the masters; the others are found through them. */
  readonly url: string;
  /** Each with a third, or what their number makes it, of the hash slots. */
  readonly masters: readonly RedisServer[];
  /** Where there are any, one for each master, in the same order. */
  readonly replicas: readonly RedisServer[];
  /** That of the masters which serves this key now. */
  nodeOf(key: string): Promise<RedisServer>;
  close(): Promise<void>;
}

const HASH_SLOTS = 16_384;
/** What is silent for longer is failed over. */
const NODE_TIMEOUT_MS = 1_000;
const DEADLINE_MS = 20_000;

interface Node extends RedisServer {
  readonly busPort: number;
}

export async function startRedisCluster(
  masterCount = 3,
  withReplicas: 'with replicas' | 'alone' = 'alone',
): Promise<RedisClusterServer> {
  const folder = await mkdtemp(join(tmpdir(), 'slipstream-cluster-'));
  const startNode = async (): Promise<Node> => {
    const busPort = await freePort(); // left to itself, Redis takes one 10,000 above, which there may not be
    const files = ['--dir', folder, '--cluster-config-file', `nodes-${busPort}.conf`, '--dbfilename', `${busPort}.rdb`];
    const timing = [
      '--cluster-node-timeout',
      `${NODE_TIMEOUT_MS}`,
      '--repl-diskless-sync-delay',
      '0',
      '--repl-ping-replica-period',
      '1',
    ];
    const options = ['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`, ...files, ...timing];
    return { ...(await startRedisServer(options)), busPort };
  };
  const masters = await Promise.all(Array.from({ length: masterCount }, startNode));
  const replicas = withReplicas === 'alone' ? [] : await Promise.all(masters.map(startNode));
  const all = [...masters, ...replicas];
  for (const [index, { redis }] of all.entries()) await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  await shareOut(masters);
  for (const { port, busPort } of all.slice(1)) {
    await all[0]?.redis.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  }
  await knowEachOther(all);
  for (const [index, { redis }] of replicas.entries()) {
    await redis.call('CLUSTER', 'REPLICATE', String(await masters[index]?.redis.call('CLUSTER', 'MYID')));
  }
  await eventually('every replica has what its master has', DEADLINE_MS, async () => {
    const links = await Promise.all(replicas.map(({ redis }) => redis.info('replication')));
    return links.every((text) => text.includes('master_link_status:up'));
  });
  await eventually('every node serves, and every replica is known', DEADLINE_MS, async () => {
    return (await Promise.all(all.map((node) => isServed(node, withReplicas === 'alone' ? 1 : 2)))).every(Boolean);
  });
  return {
    url: `redis+cluster://${masters.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`).join(',')}`, // prettier-ignore
    masters,
    replicas,
    async nodeOf(key) {
      for (const node of all) if (await serves(node, key)) return node;
      throw new Error(`no node serves ${key}`);
    },
    async close() {
      await Promise.all(all.map((node) => node.close()));
      await rm(folder, { recursive: true });
    },
  };
}

async function shareOut(masters: readonly Node[]): Promise<void> {
  for (const [index, { redis }] of masters.entries()) {
    const from = Math.floor((index * HASH_SLOTS) / masters.length);
    const to = Math.floor(((index + 1) * HASH_SLOTS) / masters.length) - 1;
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
  }
}

async function knowEachOther(nodes: readonly Node[]): Promise<void> {
  await eventually('every node knows every other', DEADLINE_MS, async () => {
    const known = await Promise.all(nodes.map(({ redis }) => redis.call('CLUSTER', 'NODES')));
    return known.every((text) => String(text).match(/ connected/g)?.length === nodes.length && !/handshake/.test(String(text))); // prettier-ignore
  });
}

async function isServed({ redis }: Node, nodesPerRange: number): Promise<boolean> {
  const info = String(await redis.call('CLUSTER', 'INFO'));
  const ranges = (await redis.call('CLUSTER', 'SLOTS')) as readonly (readonly unknown[])[];
  return info.includes('cluster_state:ok') && ranges.every((range) => range.length === 2 + nodesPerRange);
}

/** A node that is not asked for a key of its own says where to go. */
async function serves({ redis }: Node, key: string): Promise<boolean> {
  if (redis.status !== 'ready') return false;
  return redis.exists(key).then(() => true, () => false); // prettier-ignore
}
