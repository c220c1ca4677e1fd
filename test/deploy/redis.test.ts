import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { createAdaptiveLimit } from '../../src/core/limits/adaptive-limit.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { createRedisEngine } from '../../src/redis/redis-engine.ts';
import { hasRedisServer, startRedisServer, type RedisServer } from '../support/redis-server.ts';
import { fileText, ROOT } from './deploy-files.ts';

const conf = fileText('deploy/redis/redis.conf');
const directives = conf.split('\n').flatMap((line) => {
  const [, name = '', value = ''] = /^([a-z-]+) +(.+)$/.exec(line) ?? [];
  return name === '' ? [] : [{ name, value }];
});
const user = fileText('deploy/redis/users.acl')
  .split('\n')
  .map((line) => line.split(' '))
  .find(([word, name]) => word === 'user' && name === 'slipstream');
const [, , ...rules] = user ?? [];
const allowed = rules.filter((rule) => rule.startsWith('+')).map((rule) => rule.slice(1));

/** What a connection needs before its first question. */
const OF_CONNECTIONS = ['select', 'eval', 'evalsha'];
/** And what a client of a cluster needs to find its way. */
const OF_CLUSTERS = ['client|setname', 'cluster|slots', 'readonly', 'readwrite'];

const sources = readdirSync(new URL('src/redis/', ROOT), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const commands = new Set(sources.flatMap((name) => commandsIn(fileText(`src/redis/${name}`))));

function commandsIn(text: string): string[] {
  const inScripts = [...text.matchAll(/redis\.call\('([A-Z]+)'/g)];
  const direct = [...text.matchAll(/\b(?:redis|subscriber)\s*\.([a-z]+)\(/g)];
  return [...inScripts, ...direct]
    .map(([, name = '']) => name.toLowerCase())
    .filter((name) => !['call', 'on', 'off', 'disconnect'].includes(name));
}

describe('deploy/redis/users.acl', () => {
  it('lets the gateway run the commands that its sources name, and no others', () => {
    expect(allowed.toSorted()).toEqual([...commands, ...OF_CONNECTIONS, ...OF_CLUSTERS].toSorted());
  });
});

describe('deploy/redis/redis.conf', () => {
  it('evicts nothing, keeps what it was told, and listens on loopback', () => {
    const values = Object.fromEntries(directives.map(({ name, value }) => [name, value]));
    const kept = { appendonly: 'yes', appendfsync: 'everysec', save: '""' };
    expect(values).toMatchObject({ 'maxmemory-policy': 'noeviction', ...kept, bind: '127.0.0.1' });
  });
});

describe.runIf(hasRedisServer)('a redis-server with these files', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
  });

  /** The ACL file goes in by hand: the test's own connection is the default user, whom it switches off. */
  async function start(): Promise<RedisServer> {
    const ofMachine = ['port', 'bind', 'aclfile', 'dir'];
    const options = directives.filter(({ name }) => !ofMachine.includes(name));
    const dir = mkdtempSync(join(tmpdir(), 'slipstream-redis-'));
    cleanups.push(() => rmSync(dir, { recursive: true }));
    const server = await startRedisServer([
      ...options.flatMap(({ name, value }) => [`--${name}`, value === '""' ? '' : value]),
      '--dir',
      dir,
    ]);
    cleanups.push(() => server.close());
    await server.redis.call('ACL', 'SETUSER', 'slipstream', ...rules);
    return server;
  }

  const signal = new AbortController().signal;

  it('denies the gateway nothing that it asks for', async () => {
    const server = await start();
    const engine = createRedisEngine({
      url: `redis://slipstream:change-me@127.0.0.1:${server.port}/1`,
      clock: systemClock,
      hmacKey: 'a key of the test',
      createLimit: createAdaptiveLimit,
    });
    cleanups.push(() => engine.close());
    engine.places.remember(1, { upstreamId: 'main', cacheDomain: 'main', holds: false }, 'acme');
    await engine.started;
    expect(engine.health()).toEqual({ kind: 'ok' });

    await engine.ownership.claim('acme', 'batches', { id: 'b1', upstreamId: 'main' });
    expect(await engine.ownership.list('acme', 'batches', { limit: 1, from: null })).toMatchObject({ kind: 'listed' });
    await engine.ownership.forget('acme', 'batches', 'b1');
    expect(await engine.ownership.find('acme', 'batches', 'b1')).toEqual({ kind: 'not_owned' });

    const rules = { limit: 1, maxWaiters: 4, maxWaitMs: 2_000 };
    const held = await engine.slots.acquire('acme', rules, signal);
    const next = engine.slots.acquire('acme', rules, signal);
    if (held.kind === 'granted') held.lease.release();
    const second = await next;
    expect(second.kind).toBe('granted');
    if (second.kind === 'granted') second.lease.release();

    engine.capacity.setCeiling('main', 4);
    const written = [{ prefix: 'a', ttl: '5m' }] as const;
    const flights = engine.flights.of({ family: 1, tenant: 'acme' });
    const joined = await flights.join({ wanted: [], written });
    if (joined.kind !== 'lead') throw new Error(`${joined.kind} instead of lead`);
    joined.lead.sent();
    const followed = flights.follow('a', { sinceSentMs: 2_000, maxMs: 2_000 }, signal);
    joined.lead.landed();
    expect(await followed).toEqual({ kind: 'landed' });
    engine.ledger.book('acme', 0, 1);
    expect(await engine.ledger.spentUsd('acme', 0)).toBe(1);
    await engine.close();

    expect(await server.redis.call('ACL', 'LOG')).toEqual([]);
  });

  it('denies whoever has its password the keys of others and the commands of an administrator', async () => {
    const server = await start();
    const redis = new Redis(`redis://slipstream:change-me@127.0.0.1:${server.port}`, { enableReadyCheck: false });
    cleanups.push(() => redis.disconnect());
    await expect(redis.hset('other', 'field', 1)).rejects.toThrow('NOPERM');
    await expect(redis.call('FLUSHALL')).rejects.toThrow('NOPERM');
    await expect(redis.call('CONFIG', 'GET', '*')).rejects.toThrow('NOPERM');
    await expect(redis.call('KEYS', '*')).rejects.toThrow('NOPERM');
  });
});
