import { describe, expect, it } from 'vitest';
import type { TenantNews } from '../../../src/worker/remote.ts';
import { createTenantNewsLog } from '../../../src/worker/objects/tenant-news.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createKeyValues } from '../key-values.ts';

const MINUTE_MS = 60_000;
const FROM_START = { isolate: 'there', heardTo: 0 };

const wrote = (prefix: string, ttl: '5m' | '1h' = '5m', ageMs = 0): TenantNews => ({
  written: [{ prefix, ttl, ageMs }],
  places: [],
});
const ran = (key: number): TenantNews => ({
  written: [],
  places: [{ key, place: { upstreamId: 'main', cacheDomain: 'main', holds: false } }],
});
const prefixesOf = ({ news }: { readonly news: TenantNews }): string[] => news.written.map(({ prefix }) => prefix);

describe('what an isolate tells', () => {
  it('is told to another once, and not to itself', () => {
    const log = createTenantNewsLog(createKeyValues(), createFakeClock());
    log.tell('here', wrote('a'));
    const first = log.since(FROM_START);
    expect(prefixesOf(first)).toEqual(['a']);
    expect(prefixesOf(log.since({ isolate: 'there', heardTo: first.version }))).toEqual([]);
    expect(prefixesOf(log.since({ isolate: 'here', heardTo: 0 }))).toEqual([]);
  });

  it('is told in the order in which it was told here, many things of one millisecond among it', () => {
    const log = createTenantNewsLog(createKeyValues(), createFakeClock());
    for (const prefix of ['a', 'b', 'c']) log.tell('here', wrote(prefix));
    const { version } = log.since(FROM_START);
    log.tell('here', wrote('d'));
    expect(prefixesOf(log.since(FROM_START))).toEqual(['a', 'b', 'c', 'd']);
    expect(prefixesOf(log.since({ isolate: 'there', heardTo: version }))).toEqual(['d']);
  });

  it('has aged by the time it is heard, and is not told where the cache has forgotten it', async () => {
    const clock = createFakeClock();
    const log = createTenantNewsLog(createKeyValues(), clock);
    log.tell('here', wrote('a', '5m', MINUTE_MS));
    log.tell('here', wrote('b', '1h', MINUTE_MS));
    await clock.advance(3 * MINUTE_MS);
    expect(log.since(FROM_START).news.written.map(({ ageMs }) => ageMs)).toEqual([4 * MINUTE_MS, 4 * MINUTE_MS]);
    await clock.advance(MINUTE_MS);
    expect(prefixesOf(log.since(FROM_START))).toEqual(['b']);
  });

  it('is the newest where there is too much for one answer, and what was left out is not told later', () => {
    const log = createTenantNewsLog(createKeyValues(), createFakeClock());
    for (let key = 0; key < 10_000; key++) log.tell('here', ran(key));
    const { news, version } = log.since(FROM_START);
    expect(news.places.map(({ key }) => key)).toEqual(Array.from({ length: 500 }, (_, at) => 9_500 + at));
    expect(log.since({ isolate: 'there', heardTo: version }).news.places).toEqual([]);
  });

  it('to an object that has begun again is news to whoever has heard the one before', async () => {
    const clock = createFakeClock();
    const before = createTenantNewsLog(createKeyValues(), clock);
    before.tell('here', wrote('a'));
    const { version } = before.since(FROM_START);
    await clock.advance(10);
    const anew = createTenantNewsLog(createKeyValues(), clock);
    anew.tell('here', wrote('b'));
    expect(prefixesOf(anew.since({ isolate: 'there', heardTo: version }))).toEqual(['b']);
  });

  it('of where conversations ran outlives the object for an hour, and is told to all who come to the next', async () => {
    const clock = createFakeClock();
    const storage = createKeyValues();
    const before = createTenantNewsLog(storage, clock);
    before.tell('here', ran(1));
    before.tell('here', wrote('a'));
    await clock.advance(5_000);
    const { version } = before.since(FROM_START);
    const keysOf = (isolate: string, heardTo: number): number[] =>
      createTenantNewsLog(storage, clock)
        .since({ isolate, heardTo })
        .news.places.map(({ key }) => key);
    expect(keysOf('a third', 0)).toEqual([1]);
    expect(keysOf('there', version)).toEqual([]);
    await clock.advance(60 * MINUTE_MS);
    expect(keysOf('a third', 0)).toEqual([]);
  });

  it('is written to the storage once in five seconds at most, and prefixes never', async () => {
    const clock = createFakeClock();
    const storage = createKeyValues();
    const log = createTenantNewsLog(storage, clock);
    log.tell('here', wrote('a'));
    await clock.advance(5_000);
    expect(storage.writes).toBe(0);
    for (let key = 0; key < 1_000; key++) log.tell('here', ran(key));
    await clock.advance(5_000);
    expect(storage.writes).toBe(1);
    expect(clock.pending).toBe(0);
  });
});
