import type { Clock } from '../../core/clock.ts';
import type { Lease, SlotCount, SlotGrant, SlotRules } from '../../state/slots.ts';
import type { AskRedis } from '../connection/ask-redis.ts';
import type { SlotScripts } from './slot-scripts.ts';

/**
 * One tenant's slots as this replica sees them: the leases it holds and the requests that wait, in their order. Who may
 * start is Redis's decision while it is well, by the same ids; when it fails all that wait here are served from this
 * replica's share of the limit. Invariant: what is here is what is true, and Redis is told of it; never the other way.
 */
export interface SlotLine {
  acquire(rules: SlotRules, signal: AbortSignal): Promise<SlotGrant>;
  setLimit(limit: number): void;
  /** What this replica holds and has waiting, under the limit of all; without Redis, under its share. */
  count(): SlotCount;
  /** Redis has given a ticket its lease. */
  wake(id: string): void;
  /**
   * Renews in Redis what is here; `isWhole`: and removes there what is not, so that from this moment on Redis decides
   * again. Resolves with whether Redis has answered.
   */
  sync(isWhole: boolean): Promise<boolean>;
  isDue(nowMs: number): boolean;
  /** Redis has failed: from here on by this replica's share. */
  goAlone(): void;
}

export interface SlotLineOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly scripts: SlotScripts;
  readonly ask: AskRedis;
  readonly isWell: () => boolean;
  /** How many share the limit when Redis cannot be asked. At least 1. */
  readonly replicas: () => number;
  readonly nextId: () => string;
  readonly renewMs: number;
  /** Nothing is held, waits or has to be told to Redis. */
  readonly onIdle: () => void;
}

interface Waiter {
  readonly id: string;
  readonly rules: SlotRules;
  readonly sinceMs: number;
  /** `asking`: Redis has not said yet whether there is a place in the line. */
  state: 'asking' | 'standing';
  cancelDeadline: () => void;
  settle(grant: SlotGrant): void;
}

/** Until a lease has been held and returned nothing is known of how long one lasts. */
const FIRST_HOLD_ESTIMATE_MS = 5_000;
/** Weight of the newest lease in the moving average of how long one is held. */
const HOLD_SMOOTHING = 0.2;

export function createSlotLine(options: SlotLineOptions): SlotLine {
  const { name, clock, scripts, ask, isWell, replicas } = options;
  const leases = new Set<string>();
  const waiters = new Map<string, Waiter>();
  let limit = 1;
  let averageHoldMs = FIRST_HOLD_ESTIMATE_MS;
  let waitingAtAll = 0;
  let syncedAtMs = clock.nowMs();
  /** A lease out of the line has a short life in Redis until it is confirmed. */
  let hasUnconfirmed = false;
  /** Redis has been away, and does not know since then what is here. */
  let isOutOfStep = !isWell();
  /** Redis was told of something here: after an outage it has to be told that it is gone. */
  let mayBeInRedis = false;
  /** Releases on their way to Redis. */
  let telling = 0;
  let standing = 0;

  const isShared = (): boolean => isWell() && !isOutOfStep;

  const share = (): number => Math.max(1, Math.floor(limit / replicas()));

  /** When `ahead` waiters and one more will have been served, as things go now. */
  const estimateMs = (ahead: number): number => ((ahead + 1) * averageHoldMs) / (isShared() ? limit : share());

  const ended = (): void => {
    const isForgotten = !isOutOfStep || !mayBeInRedis;
    if (leases.size === 0 && waiters.size === 0 && telling === 0 && isForgotten) options.onIdle();
  };

  const tellGone = (id: string): void => {
    if (!isShared()) return;
    telling++;
    void ask(scripts.gone(name, limit, id)).then(() => {
      telling--;
      ended();
    });
  };

  const lease = (id: string): Lease => {
    leases.add(id);
    const grantedAtMs = clock.nowMs();
    return {
      release() {
        if (!leases.delete(id)) return;
        averageHoldMs += HOLD_SMOOTHING * (clock.nowMs() - grantedAtMs - averageHoldMs);
        tellGone(id);
        if (!isShared()) serveShare();
        ended();
      },
    };
  };

  /** To ask is not to wait. */
  const grant = (waiter: Waiter): void => {
    const waitedMs = waiter.state === 'asking' ? 0 : clock.nowMs() - waiter.sinceMs;
    waiter.settle({ kind: 'granted', lease: lease(waiter.id), waitedMs });
  };

  const refuse = (waiter: Waiter, kind: 'full' | 'timed_out', ahead: number): void => {
    waiter.settle({ kind, retryAfterMs: estimateMs(ahead) });
    ended();
  };

  const stand = (waiter: Waiter): void => {
    waiter.state = 'standing';
    standing++;
    waiter.cancelDeadline = clock.after(waiter.sinceMs + waiter.rules.maxWaitMs - clock.nowMs(), () => {
      tellGone(waiter.id);
      refuse(waiter, 'timed_out', Math.max(waiters.size, waitingAtAll) - 1);
    });
  };

  const serveShare = (): void => {
    for (const waiter of waiters.values()) {
      if (leases.size >= share()) return;
      grant(waiter);
    }
  };

  /** As one process would with its share of the slots and of the places in the line; those who stand have theirs. */
  const placeAlone = (waiter: Waiter): void => {
    const places = Math.ceil(waiter.rules.maxWaiters / replicas());
    if (standing === 0 && leases.size < share()) grant(waiter);
    else if (standing >= places) refuse(waiter, 'full', standing);
    else stand(waiter);
  };

  const askShared = async (waiter: Waiter): Promise<void> => {
    mayBeInRedis = true;
    const answer = await ask(scripts.ask(name, limit, waiter.id, waiter.rules.maxWaiters));
    // Failed: `goAlone` has seen to it. Not asking any more: it was woken, has left, or was served from the share.
    if (answer.kind === 'failed' || waiter.state !== 'asking' || !waiters.has(waiter.id)) return;
    const [kind, waiting] = answer.reply;
    waitingAtAll = waiting;
    if (kind === 'granted') grant(waiter);
    else if (kind === 'full') refuse(waiter, 'full', waiting);
    else stand(waiter);
  };

  const enter = (rules: SlotRules, signal: AbortSignal, resolve: (grant: SlotGrant) => void): Waiter => {
    const onAbort = (): void => {
      tellGone(waiter.id);
      waiter.settle({ kind: 'abandoned' });
      ended();
    };
    const waiter: Waiter = {
      id: options.nextId(),
      rules,
      sinceMs: clock.nowMs(),
      state: 'asking',
      cancelDeadline: () => {},
      settle(settled) {
        if (waiter.state === 'standing') standing--;
        waiters.delete(waiter.id);
        waiter.cancelDeadline();
        signal.removeEventListener('abort', onAbort);
        resolve(settled);
      },
    };
    signal.addEventListener('abort', onAbort, { once: true });
    waiters.set(waiter.id, waiter);
    return waiter;
  };

  const setLimit = (next: number): void => {
    if (limit === next) return;
    limit = next;
    if (!isShared()) serveShare();
    else if (waiters.size > 0) void sync(false);
  };

  const sync = async (isWhole: boolean): Promise<boolean> => {
    const startedAtMs = clock.nowMs();
    if (isWhole) isOutOfStep = false;
    // While this replica serves its own waiters, a lease that Redis gave one of them would be nobody's.
    const tickets = (isShared() ? [...waiters.values()] : [])
      .filter(({ state }) => state === 'standing')
      .map(({ id, sinceMs }) => ({ id, waitedMs: startedAtMs - sinceMs }));
    hasUnconfirmed = false;
    mayBeInRedis = true;
    const answer = await ask(scripts.sync(name, limit, { leases: [...leases], tickets }, isWhole));
    if (answer.kind === 'failed') return false;
    const [waiting, ...granted] = answer.reply;
    waitingAtAll = waiting;
    syncedAtMs = startedAtMs;
    if (isShared()) for (const id of granted) wake(id);
    ended();
    return true;
  };

  const wake = (id: string): void => {
    const waiter = waiters.get(id);
    if (!waiter) return; // has left, and Redis is being told
    hasUnconfirmed = true;
    grant(waiter);
  };

  return {
    acquire(rules, signal) {
      setLimit(rules.limit);
      return new Promise((resolve) => {
        const waiter = enter(rules, signal, resolve);
        if (isShared()) void askShared(waiter);
        else placeAlone(waiter);
      });
    },
    setLimit,
    count: () => ({ inUse: leases.size, waiting: waiters.size, limit: isShared() ? limit : share() }),
    wake,
    sync,
    isDue: (nowMs) => waiters.size > 0 || hasUnconfirmed || nowMs - syncedAtMs >= options.renewMs,
    goAlone() {
      isOutOfStep = true;
      serveShare();
      for (const waiter of waiters.values()) if (waiter.state === 'asking') placeAlone(waiter);
    },
  };
}
