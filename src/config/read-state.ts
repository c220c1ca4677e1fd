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
  if (!urls.every(hasReadableLogin)) {
    return unreadable('has a login that cannot be decoded', 'write %25 for each % in the user and in the password');
  }
  if (kind === 'cluster' && !urls.every(isNodeAlone)) {
    return unreadable(
      'names a database, or has options: a Redis Cluster takes neither',
      'remove what follows the last port',
    );
  }
  if (!urls.every(hasDatabaseNumber)) {
    return unreadable('names a database by something that is no number', 'write it as in redis://host:6379/0');
  }
  return read({ kind: 'redis', url: value });
};

const NEITHER = unreadable(
  'is neither memory nor a Redis URL',
  'write memory, redis://host:6379, or redis+cluster://host:6379,host:6379, with a login only before the first host',
);

const isServerUrl = (url: string): boolean => /^rediss?:\/\/[^/]/.test(url) && URL.canParse(url);

function hasReadableLogin(url: string): boolean {
  const { username, password } = new URL(url);
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

const hasDatabaseNumber = (url: string): boolean => /^(\/\d*)?$/.test(new URL(url).pathname);

function isNodeAlone(url: string): boolean {
  const { pathname, search, hash } = new URL(url);
  return /^(\/0?)?$/.test(pathname) && search === '' && hash === '';
}
