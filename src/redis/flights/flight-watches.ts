import type { Clock } from '../../core/clock.ts';
import type { FlightPatience, FlightResult, FlightWrite } from '../../state/flights.ts';
import type { Flight, StoredLook } from './flight-replies.ts';
import type { FlightStore } from './flight-store.ts';

/**
 * The followers of this replica, by the prefix they wait for. What has become of a flight is decided by looking at Redis;
 * a message only says that it is worth a look, and a timer looks where messages are lost. Patience runs by this process's
 * own timers, so that nobody waits longer because Redis is silent.
 */
export interface FlightWatches {
  has(name: string): boolean;
  /** Somebody writes it, since `sentAtMs` of this process's clock. */
  watch(name: string, writes: readonly FlightWrite[], sentAtMs: number): void;
  /** Only for a name that is watched; otherwise it has landed. */
  wait(name: string, patience: FlightPatience, signal: AbortSignal): Promise<FlightResult>;
  /** A flight of this replica was sent: its followers' patience begins anew. */
  sent(flight: Flight): void;
  /** A flight of this replica has landed. */
  landed(flight: Flight): void;
  /** The follower that has waited longest for any of this. */
  oldest(flight: Flight): Follower | undefined;
  /** Something has happened to these. */
  news(names: readonly string[]): void;
  close(): void;
}

export interface Follower {
  readonly sequence: number;
  settle(result: FlightResult): void;
}

export interface FlightWatchesParts {
  readonly clock: Clock;
  readonly look: FlightStore['look'];
  /** Then its leader tells, and Redis is not asked. */
  readonly isLedHere: (name: string) => boolean;
  /** A leader elsewhere failed or died, and this replica has taken its flight over. */
  readonly onTakenOver: (flight: Flight) => void;
}

interface Watch {
  readonly name: string;
  writes: readonly FlightWrite[];
  sentAtMs: number;
  /** In the order of their arrival. */
  readonly followers: Set<Follower>;
  news: number;
  isLooking: boolean;
  cancelPoll: () => void;
}

/** A message that came before the answer that it was for is made up for soon, one that was lost a little later. */
const FIRST_POLL_MS = 20;
const POLL_MS = 200;

export function createFlightWatches({ clock, look, isLedHere, onTakenOver }: FlightWatchesParts): FlightWatches {
  const watches = new Map<string, Watch>();
  let sequence = 0;
  const drop = (watch: Watch): void => {
    watch.cancelPoll();
    if (watches.get(watch.name) === watch) watches.delete(watch.name);
  };
  const settleAll = (watch: Watch, result: FlightResult): void => {
    drop(watch);
    for (const follower of watch.followers) follower.settle(result);
  };
  const of = ({ writes }: Flight): Watch[] => writes.flatMap(({ prefix }) => watches.get(prefix) ?? []);

  const poll = (watch: Watch, delayMs: number): void => {
    watch.cancelPoll = clock.after(delayMs, () => {
      if (watch.followers.size === 0) return drop(watch);
      poll(watch, Math.min(2 * delayMs, POLL_MS));
      void lookAt(watch);
    });
  };

  /** Once more when there is news while it looks. */
  async function lookAt(watch: Watch): Promise<void> {
    watch.news++;
    if (watch.isLooking) return;
    watch.isLooking = true;
    for (let seen = 0; seen !== watch.news && watches.get(watch.name) === watch && !isLedHere(watch.name);) {
      seen = watch.news;
      heed(watch, await look(watch.name, watch.writes));
    }
    watch.isLooking = false;
  }

  function heed(watch: Watch, seen: StoredLook): void {
    if (seen.kind === 'over') settleAll(watch, { kind: 'landed' });
    if (seen.kind === 'lead') onTakenOver(seen.flight);
    if (seen.kind === 'flying') {
      Object.assign(watch, { writes: seen.writes, sentAtMs: clock.nowMs() - seen.ageMs });
    }
  }

  return {
    has: (name) => watches.has(name),
    watch(name, writes, sentAtMs) {
      const known = watches.get(name);
      if (known) {
        Object.assign(known, { writes, sentAtMs });
        return;
      }
      const watch: Watch = {
        name,
        writes,
        sentAtMs,
        followers: new Set(),
        news: 0,
        isLooking: false,
        cancelPoll: () => {},
      };
      watches.set(name, watch);
      poll(watch, FIRST_POLL_MS);
    },
    wait(name, patience, signal) {
      const watch = watches.get(name);
      if (signal.aborted) return Promise.resolve({ kind: 'abandoned' });
      return watch ? wait(watch, patience, signal) : Promise.resolve({ kind: 'landed' });
    },
    sent(flight) {
      for (const watch of of(flight)) Object.assign(watch, { writes: flight.writes, sentAtMs: flight.sentAtMs });
    },
    landed(flight) {
      for (const watch of of(flight)) settleAll(watch, { kind: 'landed' });
    },
    oldest(flight) {
      const first = of(flight).flatMap(({ followers: [follower] }) => follower ?? []);
      return first.toSorted((one, other) => one.sequence - other.sequence)[0];
    },
    news(names) {
      for (const name of names) {
        const watch = watches.get(name);
        if (watch) void lookAt(watch);
      }
    },
    close() {
      for (const watch of watches.values()) settleAll(watch, { kind: 'timed_out' });
    },
  };

  function wait(watch: Watch, patience: FlightPatience, signal: AbortSignal): Promise<FlightResult> {
    return new Promise((resolve) => {
      const untilMs = clock.nowMs() + patience.maxMs;
      const follower: Follower = {
        sequence: ++sequence,
        settle(result) {
          watch.followers.delete(follower);
          if (watch.followers.size === 0) drop(watch);
          cancelTimer();
          signal.removeEventListener('abort', onAbort);
          resolve(result);
        },
      };
      const onAbort = (): void => follower.settle({ kind: 'abandoned' });
      /** The leader may have sent later than it seemed, or be another one by now. */
      const check = (): void => {
        const leftMs = Math.min(untilMs, watch.sentAtMs + patience.sinceSentMs) - clock.nowMs();
        if (leftMs <= 0) follower.settle({ kind: 'timed_out' });
        else cancelTimer = clock.after(leftMs, check);
      };
      let cancelTimer = (): void => {};
      signal.addEventListener('abort', onAbort, { once: true });
      watch.followers.add(follower);
      check();
    });
  }
}
