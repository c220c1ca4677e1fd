import { describe, expect, it } from 'vitest';
import { redisTargetOf } from '../../src/core/redis-url.ts';

describe('the URL of', () => {
  it.each(['redis://a', 'rediss://user:password@a:6380/3?family=6', 'memory'])(
    'one server is left as it is: %s',
    (url) => {
      expect(redisTargetOf(url)).toEqual({ kind: 'server', urls: [url] });
    },
  );

  it.each([
    ['redis+cluster://a:1', ['redis://a:1']],
    ['rediss+cluster://user:p%40ss@a:1,b:2/0', ['rediss://user:p%40ss@a:1/0', 'rediss://user:p%40ss@b:2/0']],
    ['redis+cluster://:secret@[::1]:7000,c', ['redis://:secret@[::1]:7000', 'redis://:secret@c']],
    ['redis+cluster://', ['redis://']],
  ])('a cluster is that of each node, with the login of all: %s', (url, urls) => {
    expect(redisTargetOf(url)).toEqual({ kind: 'cluster', urls });
  });
});
