import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { FlightWrite } from '../../state/flights.ts';
import { createAskRedis } from '../connection/ask-redis.ts';
import { keyOfName } from './flight-names.ts';
import {
  readJoin,
  readLook,
  textOf,
  type Flight,
  type Granted,
  type KnownWrite,
  type Reply,
  type StoredJoin,
  type StoredLook,
  type Value,
} from './flight-replies.ts';
import { HOLD, JOIN, LAND, LOOK, RELEASE } from './flight-scripts.ts';
import type { RedisClient } from '../connection/redis-connections.ts';
import type { RedisHealth } from '../connection/redis-health.ts';

/**
 * Flights in Redis, each question one script. Prefixes are names here, keyed digests that `flight-names.ts` makes. Nothing
 * is thrown and nothing takes longer than the bound of `ask-redis.ts`: `failed` is an answer, the only one while Redis is
 * unwell. A lead that is granted too late is given back, because whoever asked has gone on without it.
 */
export interface FlightStore {
  join(wanted: readonly string[], written: readonly KnownWrite[]): Promise<StoredJoin>;
  /** Takes over what is written where nobody writes it any more; `writes` may be empty, then it only looks. */
  look(name: string, writes: readonly FlightWrite[]): Promise<StoredLook>;
  /** For another lease. `tell`: followers elsewhere should know since when it is under way. */
  hold(flight: Flight, news: 'tell' | 'quiet'): Promise<'held' | 'lost' | 'failed'>;
  /** Since when (Redis's clock) what it wrote is readable; null: Redis does not know that it is. */
  land(flight: Flight): Promise<number | null>;
  /** Nobody writes it any more. Returns whether Redis knows. */
  release(flight: Flight): Promise<boolean>;
}

export interface FlightStoreParts {
  readonly redis: RedisClient;
  readonly clock: Clock;
  readonly health: RedisHealth;
  readonly keyPrefix: string;
  readonly leaseMs: number;
}

/** Docs: prompt caching, the two lives of an entry. */
const LIFE_MS: Readonly<Record<FlightWrite['ttl'], number>> = { '5m': 300_000, '1h': 3_600_000 };

export function createFlightStore({ redis, clock, health, keyPrefix, leaseMs }: FlightStoreParts): FlightStore {
  const scripts = defineScripts(redis);
  const ask = createAskRedis(clock, health);
  const channel = newsChannel(keyPrefix);
  const writing = (name: string): string => keyOfName(keyPrefix, 'w', name);
  const readable = (name: string): string => keyOfName(keyPrefix, 'r', name);
  const writingKeys = (writes: readonly FlightWrite[]): string[] => writes.map(({ prefix }) => writing(prefix));
  const bothKeys = (writes: readonly FlightWrite[]): string[] =>
    writes.flatMap(({ prefix }) => [writing(prefix), readable(prefix)]);
  const namesOf = (writes: readonly FlightWrite[]): string => writes.map(({ prefix }) => prefix).join(' ');
  const ageOf = ({ sentAtMs }: Flight): number => Math.max(0, Math.round(clock.nowMs() - sentAtMs));
  const grantedAs =
    (id: string): Granted =>
    (writes) => ({ id, writes, sentAtMs: clock.nowMs() });

  /** null: no answer in time. `onLate` gets one that comes after that. */
  async function asked<Answer>(
    script: Script,
    keys: readonly string[],
    values: readonly Value[],
    onLate: (answer: Answer) => void = () => {},
  ): Promise<Answer | null> {
    if (!health.isWell()) return null;
    const command = script(keys, values) as Promise<Answer>;
    const answered = await ask(command);
    if (answered.kind === 'answered') return answered.reply;
    command.then(onLate, () => {}); // its failure has been reported
    return null;
  }

  function giveBack(id: string, writes: readonly FlightWrite[]): (late: Reply) => void {
    return ([kind]) => {
      if (kind === 'lead') scripts.release(writingKeys(writes), [id, channel, namesOf(writes)]).catch(() => {});
    };
  }

  return {
    async join(wanted, written) {
      const id = randomUUID();
      const keys = [...wanted.map(writing), ...bothKeys(written)];
      const known = written.flatMap((one) => [textOf(one), one.knownSinceMs]);
      const values = [id, leaseMs, wanted.length, ...known];
      const reply = await asked(scripts.join, keys, values, giveBack(id, written));
      return reply ? readJoin(reply, wanted, written, grantedAs(id)) : { kind: 'failed' };
    },
    async look(name, writes) {
      const id = randomUUID();
      const keys = [writing(name), readable(name), ...writingKeys(writes)];
      const reply = await asked(scripts.look, keys, [id, leaseMs, ...writes.map(textOf)], giveBack(id, writes));
      return reply ? readLook(reply, writes, grantedAs(id)) : { kind: 'failed' };
    },
    async hold(flight, news) {
      const { id, writes } = flight;
      const told = news === 'tell' ? [channel, namesOf(writes)] : [];
      const values = [id, leaseMs, ageOf(flight), writes.map(textOf).join(' '), ...told];
      const isLost = await asked<number>(scripts.hold, writingKeys(writes), values);
      if (isLost === null) return 'failed';
      return isLost === 1 ? 'lost' : 'held';
    },
    async land(flight) {
      const { id, writes } = flight;
      const lives = writes.flatMap(({ ttl }) => [ttl, LIFE_MS[ttl]]);
      return asked<number>(scripts.land, bothKeys(writes), [id, channel, namesOf(writes), ageOf(flight), ...lives]);
    },
    async release({ id, writes }) {
      return (await asked<number>(scripts.release, writingKeys(writes), [id, channel, namesOf(writes)])) !== null;
    },
  };
}

/** Where replicas tell each other the names of flights that were sent, landed or failed; heard at every node of a cluster. */
export function newsChannel(keyPrefix: string): string {
  return `${keyPrefix}flights`;
}

type Script = (keys: readonly string[], values: readonly Value[]) => Promise<unknown>;

function defineScripts(redis: RedisClient) {
  return {
    join: defineScript(redis, 'flightJoin', JOIN),
    look: defineScript(redis, 'flightLook', LOOK),
    hold: defineScript(redis, 'flightHold', HOLD),
    land: defineScript(redis, 'flightLand', LAND),
    release: defineScript(redis, 'flightRelease', RELEASE),
  };
}

/** With as many keys as there are prefixes; sent by its digest, and whole where Redis does not know it yet. */
function defineScript(redis: RedisClient, name: string, lua: string): Script {
  const commandName = `slipstream:${name}`;
  redis.defineCommand(commandName, { lua });
  const command = Reflect.get(redis, commandName) as (...all: readonly Value[]) => Promise<unknown>;
  return (keys, values) => command.call(redis, keys.length, ...keys, ...values);
}
