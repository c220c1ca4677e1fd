/**
 * Which engine carries what requests share, by the shape of the value. A Redis URL may hold a password: it is never shown,
 * and stays behind among the secrets.
 */
import { redisTargetOf } from '../core/redis-url.ts';
import { read, unreadable, type Reader } from './reading.ts';

export type StateSetting = { readonly kind: 'memory' } | { readonly kind: 'redis'; readonly url: string };

export const readState: Reader<StateSetting> = (value) => {
  if (value === 'memory') return read({ kind: 'memory' });
  if (typeof value !== 'string') return NEITHER;
  const { kind, urls } = redisTargetOf(value);
  if (!urls.every(isServerUrl)) return NEITHER;
  if (kind === 'cluster' && !urls.every(hasNoDatabase)) {
    return unreadable('names a database, and a Redis Cluster has none but 0', 'remove what follows the last port');
  }
  return read({ kind: 'redis', url: value });
};

const NEITHER = unreadable(
  'is neither memory nor a Redis URL',
  'write memory, redis://host:6379, or redis+cluster://host:6379,host:6379',
);

const isServerUrl = (url: string): boolean => /^rediss?:\/\/[^/]/.test(url) && URL.canParse(url);

const hasNoDatabase = (url: string): boolean => /^(\/0?)?$/.test(new URL(url).pathname);
