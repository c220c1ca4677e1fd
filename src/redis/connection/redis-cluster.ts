import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { RedisTarget } from '../../core/redis-url.ts';
import { addressOf, followMasters } from './cluster-masters.ts';
import {
  CONNECTION,
  retryDelayMs,
  SOCKET_TIMEOUT_MS,
  type RedisConnections,
  type RedisListeners,
} from './redis-connections.ts';

/**
 * A Redis Cluster: one connection to each node, commands by the hash slot of their keys, and a connection of its own that
 * listens at any node, since all nodes pass on what is published. Commands of one tenant are on one connection, in order.
 * Who is told that his keys have moved sends the command there; that is no second time, because the first was refused.
 * Else as with one server: a command that cannot be sent fails, and one that may have been done is not sent again.
 */
export function openRedisCluster(
  urls: RedisTarget['urls'],
  keyPrefix: string,
  { onTrouble, onOpen, onLost }: RedisListeners,
): RedisConnections {
  const startNodes = urls.map(nodeOf);
  const login = loginOf(urls[0]);
  const cluster = new Cluster(startNodes, {
    ...OF_CLUSTER,
    redisOptions: { ...CONNECTION, ...login, socketTimeout: SOCKET_TIMEOUT_MS },
  });
  const masters = followMasters(cluster, keyPrefix, onLost);
  const openIfSo = (): void => {
    if (masters.areOpen()) onOpen();
  };
  cluster.on('+node', (node: Redis) => {
    node.once('ready', openIfSo);
    // At once, so that no command is the first on a connection and kept until it is there.
    node.connect().catch(() => {}); // told as 'node error'
  });
  cluster.on('ready', openIfSo).on('error', (error: Error) => onTrouble(causeOf(error)));
  cluster.on('node error', (error: Error, address: string) => {
    if (masters.has(address)) onTrouble(error);
  });
  const subscriber = listenAtAnyNode(cluster, startNodes, login);
  return {
    redis: cluster,
    subscriber,
    reach: masters.reach,
    close() {
      cluster.disconnect();
      subscriber.disconnect();
    },
  };
}

const OF_CLUSTER = {
  enableOfflineQueue: false,
  enableReadyCheck: false,
  clusterRetryStrategy: retryDelayMs,
  slotsRefreshTimeout: 1_000,
  // Keys that move twice in one breath.
  maxRedirections: 3,
  // Keys that are between two nodes: asked again while somebody still waits for the answer.
  retryDelayOnTryAgain: 10,
  // These two would send again what may have been done.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  // A certificate is for the name, not for its address.
  dnsLookup: (name, done) => done(null, name),
} satisfies ClusterOptions;

type Login = Pick<RedisOptions, 'username' | 'password' | 'tls'>;

interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** After each failure at another node, of those that are known by then; what was said in between finds a timer. */
function listenAtAnyNode(cluster: Cluster, startNodes: readonly NodeAddress[], login: Login): Redis {
  const anyNode = (): NodeAddress | undefined => {
    const known = cluster.nodes().map(({ options: { host = '', port = 0 } }) => ({ host, port }));
    const nodes = known.length > 0 ? known : startNodes;
    return nodes[Math.floor(Math.random() * nodes.length)];
  };
  const subscriber = new Redis({
    ...CONNECTION,
    ...login,
    ...anyNode(),
    enableOfflineQueue: false,
    retryStrategy(times) {
      Object.assign(subscriber.options, anyNode());
      return retryDelayMs(times);
    },
  });
  subscriber.on('error', () => {});
  // A node that has left the cluster would go on talking to nobody.
  cluster.on('-node', ({ options }: Redis) => {
    if (subscriber.status === 'ready' && addressOf(options) === addressOf(subscriber.options))
      subscriber.disconnect(true);
  });
  return subscriber;
}

function nodeOf(url: string): NodeAddress {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 6379 : Number(port) };
}

/** Of the first, for all nodes: they are told of by their addresses alone. */
function loginOf(url: string): Login {
  const { protocol, username, password } = new URL(url);
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/** That of all nodes none could be reached says less than why the last one could not. */
function causeOf(error: Error): unknown {
  return Reflect.get(error, 'lastNodeError') ?? error;
}
