import type { Clock } from '../core/clock.ts';
import type { AskRedis } from './connection/ask-redis.ts';
import type { RedisHealth } from './connection/redis-health.ts';
import type { RedisConnections } from './connection/redis-connections.ts';
import type { Rejoining } from './connection/rejoining.ts';
import type { Replicas } from './replicas.ts';

/**
 * What a replica does by itself, several times a second: it signs in and renews what it has in Redis while that is well,
 * and else finds out whether it is again. One timer; never two questions at once to a Redis that does not answer.
 */
export interface Beat {
  /** Redis can be reached now: does not wait for the next beat. */
  now(): void;
  stop(): void;
}

export interface BeatParts {
  readonly clock: Clock;
  readonly health: RedisHealth;
  readonly ask: AskRedis;
  readonly members: Replicas;
  readonly reach: RedisConnections['reach'];
  readonly rejoining: Rejoining;
  readonly work: BeatWork;
}

export interface BeatWork {
  /** Redis is well: what is shared is renewed. */
  renew(): Promise<unknown>;
  /** Redis is back: what is held here is made known, and not relied upon. */
  register(): Promise<unknown>;
  /** From now on Redis is relied upon; called in the moment in which it is well again. */
  join(): Promise<unknown>;
  /** Somebody waits for what the next beat may bring. */
  isHurried(): boolean;
}

const BEAT_MS = 500;
const HURRIED_BEAT_MS = 100;
const PROBE_MS = 250;

export function createBeat({ clock, health, ask, members, reach, rejoining, work }: BeatParts): Beat {
  let isStopped = false;
  let isProbeOut = false;
  let cancel = (): void => {};

  const renew = async (): Promise<void> => {
    const [signedIn] = await Promise.all([ask(members.signIn()), work.renew()]);
    if (signedIn.kind === 'answered' && health.isWell()) members.note(signedIn.reply);
  };

  const probe = async (): Promise<void> => {
    if (isProbeOut) return;
    isProbeOut = true;
    const asked = Promise.all([members.signIn(), reach()]);
    const answered = await ask(asked.finally(() => (isProbeOut = false)));
    if (answered.kind === 'failed') return rejoining.failed();
    if (!rejoining.hasJoined) members.note(answered.reply[0]);
    if (rejoining.answered() === 'register') return void (await work.register());
    health.recovered();
    await work.join();
  };

  const beatIn = (delayMs: number): void => {
    cancel();
    if (!isStopped) cancel = clock.after(delayMs, () => void beat());
  };
  const beat = async (): Promise<void> => {
    await (health.isWell() ? renew() : probe());
    if (!health.isWell()) beatIn(PROBE_MS);
    else beatIn(work.isHurried() ? HURRIED_BEAT_MS : BEAT_MS);
  };
  beatIn(PROBE_MS);
  return {
    now: () => beatIn(0),
    stop() {
      isStopped = true;
      cancel();
    },
  };
}
