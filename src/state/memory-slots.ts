import pLimit, { type LimitFunction } from 'p-limit';
import type { Clock } from '../core/clock.ts';
import type { Lease, SlotCount, SlotGrant, SlotRules, Slots } from './slots.ts';

/**
 * Slots of one process. p-limit runs the leases; the line of waiters stands in front of it, because p-limit can neither
 * cancel a waiter nor tell a cancelled one from a live one. Invariant: p-limit is only ever handed what fits under the
 * limit, so that nobody waits in its own queue (it sees the end of a lease some microtasks late; a lease does not wait for
 * that). First come, first served; a Set keeps that order and forgets a waiter in O(1).
 */
export function createMemorySlots(clock: Clock): Slots {
  const lines = new Map<string, Line>();
  const limits = createLimits();
  return {
    async acquire(name, rules, signal) {
      if (signal.aborted) return { kind: 'abandoned' };
      const line = lines.get(name) ?? createLine(clock, limits, () => lines.delete(name));
      lines.set(name, line);
      return line.acquire(rules, signal);
    },
    setLimit: (name, limit) => lines.get(name)?.setLimit(limit),
    counts: () => new Map([...lines].map(([name, line]) => [name, line.count()])),
  };
}

interface Line {
  setLimit(limit: number): void;
  acquire(rules: SlotRules, signal: AbortSignal): Promise<SlotGrant>;
  count(): SlotCount;
}

interface Waiter {
  grant(): void;
}

/**
 * What lines that were forgotten have left for others: a tenant with one request at a time has a new line for each, and a
 * p-limit is made with accessors of its own, which V8 keeps, with all that they see, until it collects the old generation.
 */
interface Limits {
  take(concurrency: number): LimitFunction;
  giveBack(limit: LimitFunction): void;
}

const MAX_LEFT = 64;

function createLimits(): Limits {
  const left: LimitFunction[] = [];
  return {
    take(concurrency) {
      const limit = left.pop();
      if (!limit) return pLimit(concurrency);
      limit.concurrency = concurrency;
      return limit;
    },
    giveBack(limit) {
      if (left.length < MAX_LEFT) left.push(limit);
    },
  };
}

/** Until a lease has been held and returned nothing is known of how long one lasts. */
const FIRST_HOLD_ESTIMATE_MS = 5_000;
/** Weight of the newest lease in the moving average of how long one is held. */
const HOLD_SMOOTHING = 0.2;

function createLine(clock: Clock, limits: Limits, forgetName: () => void): Line {
  const waiters = new Set<Waiter>();
  let slots: LimitFunction | null = null;
  let limit = 1;
  let inUse = 0;
  let averageHoldMs = FIRST_HOLD_ESTIMATE_MS;

  const setLimit = (next: number): void => {
    if (slots && limit === next) return;
    limit = next;
    if (slots) slots.concurrency = next;
    else slots = limits.take(next);
    serve();
  };

  const forgetIdle = (): void => {
    if (inUse > 0 || waiters.size > 0) return;
    forgetName();
    if (slots) limits.giveBack(slots);
    slots = null;
  };

  const lease = (): Lease => {
    inUse++;
    const grantedAtMs = clock.nowMs();
    const { promise, resolve } = Promise.withResolvers<void>();
    void slots?.(() => promise);
    let isHeld = true;
    return {
      release() {
        if (!isHeld) return;
        isHeld = false;
        inUse--;
        averageHoldMs += HOLD_SMOOTHING * (clock.nowMs() - grantedAtMs - averageHoldMs);
        resolve();
        serve();
        forgetIdle();
      },
    };
  };

  const serve = (): void => {
    for (const waiter of waiters) {
      if (inUse >= limit) return;
      waiters.delete(waiter);
      waiter.grant();
    }
  };

  /** When `ahead` waiters and one more will have been served, as things go now. */
  const estimateMs = (ahead: number): number => ((ahead + 1) * averageHoldMs) / limit;

  const wait = (rules: SlotRules, signal: AbortSignal): Promise<SlotGrant> => {
    const sinceMs = clock.nowMs();
    return new Promise((resolve) => {
      const leave = (grant: SlotGrant): void => {
        waiters.delete(waiter);
        cancelTimer();
        signal.removeEventListener('abort', onAbort);
        resolve(grant);
        forgetIdle();
      };
      const waiter: Waiter = {
        grant: () => leave({ kind: 'granted', lease: lease(), waitedMs: clock.nowMs() - sinceMs }),
      };
      const onAbort = (): void => leave({ kind: 'abandoned' });
      const cancelTimer = clock.after(rules.maxWaitMs, () =>
        leave({ kind: 'timed_out', retryAfterMs: estimateMs(waiters.size) }),
      );
      signal.addEventListener('abort', onAbort, { once: true });
      waiters.add(waiter);
    });
  };

  return {
    setLimit,
    async acquire(rules, signal) {
      setLimit(rules.limit);
      if (inUse < limit && waiters.size === 0) return { kind: 'granted', lease: lease(), waitedMs: 0 };
      if (waiters.size >= rules.maxWaiters) return { kind: 'full', retryAfterMs: estimateMs(waiters.size) };
      return wait(rules, signal);
    },
    count: () => ({ inUse, waiting: waiters.size, limit }),
  };
}
