/**
 * What a Redis URL leads to. `redis://` and `rediss://` (TLS) name one server. `redis+cluster://` and `rediss+cluster://`
 * name one or more nodes of one cluster, with commas between, which tell where all the others are:
 * `redis+cluster://user:password@a:6379,b:6379`, with the login of all of them once. Each is given as the URL of that node
 * alone.
 */
export interface RedisTarget {
  readonly kind: 'server' | 'cluster';
  readonly urls: readonly [string, ...string[]];
}

const CLUSTER = /^(?<scheme>rediss?)\+cluster:\/\/(?<login>[^@/?#]*@)?(?<hosts>[^@/?#]*)(?<rest>(?:[/?#].*)?)$/;

export function redisTargetOf(url: string): RedisTarget {
  const parts = CLUSTER.exec(url)?.groups;
  if (!parts) return { kind: 'server', urls: [url] };
  const { scheme = '', login = '', hosts = '', rest = '' } = parts;
  const [first = '', ...others] = hosts.split(',').map((host) => `${scheme}://${login}${host}${rest}`);
  return { kind: 'cluster', urls: [first, ...others] };
}
