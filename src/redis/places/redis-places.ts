import { createHmac } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { Place } from '../../core/choose-upstream.ts';
import { dropOldest } from '../../core/newest.ts';
import { createMemorySessionPlaces } from '../../state/memory-session-places.ts';
import type { SessionPlaces } from '../../state/session-places.ts';
import type { AskRedis } from '../connection/ask-redis.ts';
import { readPlaces, writePlaces, type KeyedPlace } from './place-text.ts';
import type { RedisClient } from '../connection/redis-connections.ts';

/**
 * Where conversations ran, over all replicas: a memory of this process that tells the others what it learns, by a stream
 * in Redis. To look asks nobody. A place is known elsewhere two beats after it was learned, and to a replica that starts
 * later as far back as the stream goes. What is lost costs a cold cache, no more. Keys are HMACs before they leave.
 */
export interface RedisPlaces extends SessionPlaces {
  /** Tells what is new here, and takes in what is new elsewhere. */
  exchange(): Promise<void>;
}

export interface RedisPlacesOptions {
  readonly redis: RedisClient;
  readonly clock: Clock;
  readonly ask: AskRedis;
  readonly hmacKey: string | Uint8Array;
  readonly keyPrefix: string;
  readonly instance: string;
}

type StreamReply = readonly (readonly [string, readonly StreamEntry[]])[] | null;
type StreamEntry = readonly [string, readonly string[]];

/** Some 80 bytes each; a full stream has as many as a process remembers at most. */
const BATCH_PLACES = 200;
const MAX_BATCHES = 1_000;
/** Batches read at once: some 300 KB. */
const READ_BATCHES = 20;
/** Told again, so that those who do not see it used do not forget it within the hour. */
const TELL_AGAIN_MS = 1_200_000;
/** As long as anybody remembers a place that is not used. */
const KEEP_MS = 3_600_000;
/** What a replica that cannot tell anybody keeps to tell. */
const MAX_UNTOLD = 10_000;
const MAX_TOLD = 200_000;

export function createRedisPlaces(options: RedisPlacesOptions): RedisPlaces {
  const { redis, clock, ask, hmacKey, instance } = options;
  const stream = `${options.keyPrefix}{r}:places`;
  const memory = createMemorySessionPlaces(clock);
  const toldAtMs = new Map<number, number>();
  const untold = new Map<number, Place>();
  let readTo = '0';

  const keyed = (key: number): number =>
    createHmac('sha256', hmacKey).update(`place\n${key}`).digest().readUIntBE(0, 6);

  const tell = (key: number, place: Place): void => {
    untold.set(key, place);
    dropOldest(untold, MAX_UNTOLD);
  };

  const noteTold = (key: number): void => {
    toldAtMs.delete(key);
    toldAtMs.set(key, clock.nowMs());
    dropOldest(toldAtMs, MAX_TOLD);
  };

  const tellBatch = async (): Promise<boolean> => {
    const batch: KeyedPlace[] = [...untold].slice(0, BATCH_PLACES);
    for (const [key] of batch) untold.delete(key);
    const fields = ['from', instance, 'places', writePlaces(batch)];
    const told = await ask(redis.xadd(stream, 'MAXLEN', '~', MAX_BATCHES, '*', ...fields));
    if (told.kind === 'failed') for (const [key, place] of batch) if (!untold.has(key)) tell(key, place);
    return told.kind === 'answered';
  };

  const take = (entries: readonly StreamEntry[]): void => {
    for (const [id, [, from, , text = '']] of entries) {
      readTo = id;
      if (from === instance) continue;
      for (const [key, place] of readPlaces(text)) {
        memory.remember(key, place);
        noteTold(key);
      }
    }
  };

  const readBatches = async (): Promise<number> => {
    const read = await ask(redis.xread('COUNT', READ_BATCHES, 'STREAMS', stream, readTo) as Promise<StreamReply>);
    const entries = read.kind === 'answered' ? (read.reply?.[0]?.[1] ?? []) : [];
    take(entries);
    return entries.length;
  };

  return {
    find: (key) => memory.find(keyed(key)),
    remember(key, place) {
      const own = keyed(key);
      const known = memory.find(own);
      memory.remember(own, place);
      const isFresh = clock.nowMs() - (toldAtMs.get(own) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS;
      if (known && isSame(known, place) && isFresh) return;
      tell(own, place);
      noteTold(own);
    },
    async exchange() {
      const hasNews = untold.size > 0;
      while (untold.size > 0 && (await tellBatch()));
      if (hasNews) await ask(redis.pexpire(stream, KEEP_MS));
      while ((await readBatches()) === READ_BATCHES);
    },
  };
}

function isSame(one: Place, other: Place): boolean {
  return one.upstreamId === other.upstreamId && one.cacheDomain === other.cacheDomain && one.holds === other.holds;
}
