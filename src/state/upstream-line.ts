import type { AdaptiveLimit } from '../core/limits/adaptive-limit.ts';
import type { Clock } from '../core/clock.ts';
import { createFairQueue, type Ticket } from '../core/limits/fair-queue.ts';
import { createRateQuota, type QuotaReading } from '../core/limits/rate-quota.ts';
import type { SlotCount } from './slots.ts';
import type { CapacityAsk, CapacityGrant, CapacityLease } from './upstream-capacity.ts';
import { createWaitEstimate } from './wait-estimate.ts';

/**
 * The line before one upstream: `adaptive-limit` says how many, `rate-quota` how much, `fair-queue` who. Invariant: after
 * every call nobody waits who could go. One timer for the next moment at which a quota has room for a head that waits for
 * it, and one for each waiter's deadline; none when nobody waits.
 */
export interface UpstreamLine {
  acquire(ask: CapacityAsk, signal: AbortSignal): Promise<CapacityGrant>;
  setCeiling(ceiling: number): void;
  count(): SlotCount;
  quotas(): readonly QuotaReading[];
}

interface Waiter {
  readonly ask: CapacityAsk;
  readonly sinceMs: number;
  grant(lease: CapacityLease, waitedMs: number): void;
}

type Line = Ticket<Waiter>;

export function createUpstreamLine(clock: Clock, limit: AdaptiveLimit): UpstreamLine {
  const queue = createFairQueue<Waiter>();
  const quota = createRateQuota();
  const estimate = createWaitEstimate();
  let inUse = 0;
  let nextLook: { readonly atMs: number; readonly cancel: () => void } | null = null;

  const lookAgainAt = (atMs: number): void => {
    if (nextLook?.atMs === atMs) return;
    nextLook?.cancel();
    nextLook = null;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const look = (): void => {
      nextLook = null;
      serve();
    };
    nextLook = { atMs, cancel: clock.after(Math.max(0, atMs - clock.nowMs()), look) };
  };

  const serve = (): void => {
    const nowMs = clock.nowMs();
    let lookAtMs = Number.POSITIVE_INFINITY;
    const fits = ({ item: { ask } }: Line): boolean => {
      const verdict = quota.verdict(ask.modelClass, ask.inputTokens, nowMs);
      if ('untilMs' in verdict) lookAtMs = Math.min(lookAtMs, verdict.untilMs);
      return verdict.kind === 'fits';
    };
    while (inUse < limit.current) {
      lookAtMs = Number.POSITIVE_INFINITY;
      const ticket = queue.next(limit.current, nowMs, fits);
      if (!ticket) break;
      ticket.item.grant(lease(ticket.item.ask), nowMs - ticket.item.sinceMs);
    }
    lookAgainAt(inUse < limit.current ? lookAtMs : Number.POSITIVE_INFINITY); // else a release comes first
  };

  const lease = (ask: CapacityAsk): CapacityLease => {
    inUse++;
    const grantedAtMs = clock.nowMs();
    const charge = quota.book(ask.modelClass, ask.inputTokens, grantedAtMs);
    let isHeld = true;
    return {
      head(headers) {
        if (!isHeld) return;
        quota.learn(charge, headers, clock.nowMs(), clock.wallMs());
        if (queue.size > 0) serve();
      },
      release(result) {
        if (!isHeld) return;
        isHeld = false;
        const nowMs = clock.nowMs();
        estimate.held(nowMs - grantedAtMs);
        limit.report(result, inUse, nowMs);
        quota.settle(charge, result, nowMs);
        queue.release(ask.tenant, nowMs);
        inUse--;
        serve();
      },
    };
  };

  /** The later of when this tenant's turn comes and when the class has room for all that wait for it. */
  const retryAfterMs = ({ tenant, weight, modelClass, inputTokens }: CapacityAsk): number => {
    const { waiting, share } = queue.standing(tenant, weight, limit.current);
    const slotMs = estimate.slotMs(waiting + 1, share, queue.size + 1, limit.current);
    const ahead = estimate.waitingFor(modelClass);
    return Math.max(slotMs, quota.serveInMs(modelClass, ahead.requests + 1, ahead.tokens + inputTokens, clock.nowMs()));
  };

  const refusal = (kind: 'timed_out' | 'full', ask: CapacityAsk): CapacityGrant => ({
    kind,
    retryAfterMs: retryAfterMs(ask),
  });

  const isInVain = ({ modelClass, inputTokens, maxWaitMs }: CapacityAsk): boolean => {
    const nowMs = clock.nowMs();
    const verdict = quota.verdict(modelClass, inputTokens, nowMs);
    return verdict.kind === 'paused' && verdict.untilMs > nowMs + Math.max(0, maxWaitMs);
  };

  const stand = (ask: CapacityAsk, signal: AbortSignal): Promise<CapacityGrant> =>
    new Promise((resolve) => {
      const leave = (grant: () => CapacityGrant): void => {
        queue.remove(ticket, clock.nowMs());
        estimate.wentOrLeft(ask);
        cancelDeadline?.();
        signal.removeEventListener('abort', onAbort);
        resolve(grant());
      };
      const gaveUp = (grant: () => CapacityGrant): void => {
        leave(grant);
        serve(); // it may have been the head that others of its class waited behind
      };
      const onAbort = (): void => gaveUp(() => ({ kind: 'abandoned' }));
      const onDeadline = (): void => gaveUp(() => refusal('timed_out', ask));
      let cancelDeadline: (() => void) | null = null;
      let isWaiting = true;
      const waiter: Waiter = {
        ask,
        sinceMs: clock.nowMs(),
        grant: (granted, waitedMs) => {
          isWaiting = false;
          leave(() => ({ kind: 'granted', lease: granted, waitedMs }));
        },
      };
      estimate.waits(ask);
      const ticket = queue.add(ask.tenant, ask.weight, ask.modelClass, waiter, waiter.sinceMs);
      serve();
      if (!isWaiting) return;
      if (ask.maxWaitMs <= 0) return onDeadline();
      cancelDeadline = clock.after(ask.maxWaitMs, onDeadline);
      signal.addEventListener('abort', onAbort, { once: true });
    });

  return {
    async acquire(asked, signal) {
      const ask = { ...asked, inputTokens: Number.isFinite(asked.inputTokens) ? Math.max(0, asked.inputTokens) : 0 };
      return isInVain(ask) ? refusal('full', ask) : stand(ask, signal);
    },
    setCeiling(ceiling) {
      limit.setCeiling(ceiling);
      serve();
    },
    count: () => ({ inUse, waiting: queue.size, limit: limit.current }),
    quotas: () => quota.readings(clock.nowMs()),
  };
}
