import type { AttemptResult, UpstreamFailure } from '../attempt.ts';
import { createTtftGradient } from './ttft-gradient.ts';

/**
 * How many calls an upstream may have at once. It starts at its ceiling, so that the gateway is no new way to fail, and is
 * always an integer in [1, ceiling]. Refusals cut it by a share; time without them, and calls that use it, let it grow,
 * slowly at first and then ever faster. A cut that does not lessen the refusals is taken back: 529 is mostly
 * the load of others, and a limit that followed it down would starve our callers without helping anybody.
 */
export interface AdaptiveLimit {
  readonly current: number;
  setCeiling(ceiling: number): void;
  /** @param inUse calls at once when this one ended, itself included. */
  report(result: AttemptResult, inUse: number, nowMs: number): void;
}

/** Calls in flight at a drop report that same drop. */
const CUT_WINDOW_MS = 1_000;
/** Drops this soon after a cut, and at clearly fewer calls than the first, say that cuts are not the point. */
const TRIAL_MS = 30_000;
const FEWER = 0.95;
const TRIAL_CUTS = 3;
/** How long drops that we are not the cause of move nothing, before it is tried again. */
const BLAMELESS_MS = 60_000;
const DROP_SAMPLES = 40;
/** Above this share we are far over, since a refusal frees its slot at once for the next one; or nobody gets through. */
const MOSTLY = 0.5;
const CUT = 0.9;
const DEEP_CUT = 0.8;
/** Four calls are not what overloads a platform, and somebody must find out when it is over. */
const FLOOR = 4;

/** As much of the limit must be in use for a good call to say that more would be good, too. */
const USED = 0.7;
const SETTLE_MS = 2_000;
const GROWTH_FIRST_PER_S = 0.01;
const GROWTH_MOST_PER_S = 0.2;
const RAMP_MS = 5_000;
/** One good call stands for no more time, and no more growth, than this: ten seconds, a tenth. */
const GROWTH_GAP_MS = 10_000;
const GROWTH_STEP = 0.1;

/** "The retry fails, too; I have to wait minutes" (cline#4351). */
const CONNECTIONS_HOLD_MS = 60_000;
const ACCELERATION_CUT = 0.95;
const ACCELERATION_HOLD_MS = 30_000;
const HOLD_MOST_MS = 300_000;
/** After these two the ceiling is a hard one, or haste was the fault. */
const SLOW_RAMP_MS = 30_000;

/** A call's first token is reported with its last, so what a cut did is seen late. */
const SLOW_CUT_WINDOW_MS = 10_000;
const SLOW_CUT_MOST = 0.7;
const SLOW_CUT_LEAST = 0.95;
const HELPED = 0.9;

/** A series of cuts, on trial: `from` is what is given back if they do not help. */
interface Trial {
  readonly from: number;
  readonly cuts: number;
  /** The worst there was while it lasted: the first cut comes while it is still getting worse. */
  readonly slowness: number;
}

export function createAdaptiveLimit(initialCeiling: number): AdaptiveLimit {
  const gradient = createTtftGradient();
  let ceiling = asCeiling(initialCeiling);
  let limit = ceiling;
  let dropShare = 0;
  let reports = 0;
  let cutAtMs = Number.NEGATIVE_INFINITY;
  let growFromMs = Number.NEGATIVE_INFINITY;
  let rampMs = RAMP_MS;
  let grownAtMs = Number.NEGATIVE_INFINITY;
  let dropTrial: Trial | null = null;
  let blamelessUntilMs = Number.NEGATIVE_INFINITY;
  let slowTrial: Trial | null = null;
  let slowCutAtMs = Number.NEGATIVE_INFINITY;

  const countDrop = (drop: 0 | 1): void => {
    reports++;
    dropShare += (drop - dropShare) * Math.max(1 / reports, 1 / DROP_SAMPLES);
  };

  const holdGrowth = (untilMs: number, ramp: number, nowMs: number): void => {
    if (nowMs >= growFromMs) rampMs = ramp; // a longer hold that is still on keeps its own
    growFromMs = Math.max(growFromMs, untilMs);
  };

  /** A limit that is hardly used is not what let the call through: it comes down by halves at most, not to what is in use. */
  const cutBy = (factor: number, inUse: number, nowMs: number): void => {
    const base = Math.min(limit, Math.max(inUse, limit / 2));
    limit = Math.max(Math.min(limit, FLOOR), base * factor);
    cutAtMs = nowMs;
    holdGrowth(nowMs + SETTLE_MS, RAMP_MS, nowMs);
  };

  const giveBack = (trial: Trial): void => {
    limit = Math.min(ceiling, Math.max(limit, trial.from));
  };

  const drop = (inUse: number, nowMs: number): void => {
    countDrop(1);
    if (nowMs - cutAtMs < CUT_WINDOW_MS) return;
    if (dropShare >= MOSTLY) {
      dropTrial = null;
      return cutBy(DEEP_CUT, inUse, nowMs);
    }
    if (nowMs < blamelessUntilMs) return;
    const isGoingOn = dropTrial && nowMs - cutAtMs <= TRIAL_MS && isFewer(limit, dropTrial.from);
    const trial = isGoingOn && dropTrial ? dropTrial : { from: limit, cuts: 0, slowness: 0 };
    if (trial.cuts >= TRIAL_CUTS) {
      giveBack(trial);
      dropTrial = null;
      blamelessUntilMs = nowMs + BLAMELESS_MS;
      return;
    }
    dropTrial = { ...trial, cuts: trial.cuts + 1 };
    cutBy(CUT, inUse, nowMs);
  };

  /** The number in use is known to be too many: below it, for a while, whatever the limit was. */
  const tooMany = (inUse: number, nowMs: number): void => {
    if (nowMs - cutAtMs < CUT_WINDOW_MS) return;
    limit = Math.max(1, Math.min(limit, inUse * CUT, inUse - 1));
    cutAtMs = nowMs;
    holdGrowth(nowMs + CONNECTIONS_HOLD_MS, SLOW_RAMP_MS, nowMs);
  };

  /** Growth was what was wrong, not the number: stay about where we are for as long as the upstream says. */
  const tooFast = (failure: UpstreamFailure, inUse: number, nowMs: number): void => {
    holdGrowth(nowMs + Math.min(HOLD_MOST_MS, failure.retryAfterMs ?? ACCELERATION_HOLD_MS), SLOW_RAMP_MS, nowMs);
    if (nowMs - cutAtMs < CUT_WINDOW_MS) return;
    limit = Math.max(Math.min(limit, FLOOR), Math.min(limit, inUse * ACCELERATION_CUT));
    cutAtMs = nowMs;
  };

  const slowDown = (share: number, inUse: number, nowMs: number): void => {
    const slowness = gradient.recent;
    slowTrial ??= { from: limit, cuts: 0, slowness };
    slowTrial = { ...slowTrial, slowness: Math.max(slowness, slowTrial.slowness) };
    if (inUse < limit / 2 || nowMs - slowCutAtMs < SLOW_CUT_WINDOW_MS) return;
    slowCutAtMs = nowMs;
    if (slowTrial.cuts >= TRIAL_CUTS) {
      if (slowness > HELPED * slowTrial.slowness) {
        giveBack(slowTrial);
        slowTrial = null;
        return gradient.adopt();
      }
      slowTrial = { from: limit, cuts: 0, slowness };
    }
    slowTrial = { ...slowTrial, cuts: slowTrial.cuts + 1 };
    cutBy(Math.max(SLOW_CUT_MOST, Math.min(SLOW_CUT_LEAST, share)), inUse, nowMs);
  };

  const grow = (inUse: number, sinceMs: number, nowMs: number): void => {
    if (nowMs < growFromMs || inUse < USED * Math.floor(limit)) return;
    const perSecond = Math.min(GROWTH_MOST_PER_S, GROWTH_FIRST_PER_S * 2 ** ((nowMs - growFromMs) / rampMs));
    const step = limit * ((perSecond * sinceMs) / 1_000);
    limit = Math.min(ceiling, limit + Math.min(step, Math.max(1, GROWTH_STEP * limit)));
  };

  const succeed = (result: Extract<AttemptResult, { kind: 'ok' }>, inUse: number, nowMs: number): void => {
    countDrop(0);
    const sinceMs = Math.max(0, Math.min(GROWTH_GAP_MS, nowMs - grownAtMs));
    grownAtMs = nowMs;
    if (result.ttftMs !== null && result.uncachedTokens !== null)
      gradient.add(result.ttftMs, result.uncachedTokens, nowMs);
    const verdict = gradient.verdict;
    if (verdict.kind === 'swollen') return slowDown(verdict.share, inUse, nowMs);
    if (verdict.kind === 'slower') return;
    slowTrial = null;
    grow(inUse, sinceMs, nowMs);
  };

  const fail = (failure: UpstreamFailure, inUse: number, nowMs: number): void => {
    switch (failure.kind) {
      case 'overloaded':
      case 'timeout': // the slowest of all answers, which no average of answers sees
        return drop(inUse, nowMs);
      case 'concurrent_connections':
        return tooMany(inUse, nowMs);
      case 'acceleration':
        return tooFast(failure, inUse, nowMs);
      case 'rate_limited': // a class's quota: what waits for it is the quota's gate, and other classes go on
      case 'spend_limit': // money is not capacity
      case 'credential_refused': // nor is a key
      case 'network': // a path or a process that is broken is as broken with fewer calls: the breaker's business
      case 'server_error':
      case 'stream_error':
        return;
    }
  };

  return {
    get current() {
      return Math.max(1, Math.floor(limit));
    },
    setCeiling(next) {
      const wasAtCeiling = limit >= ceiling;
      ceiling = asCeiling(next);
      limit = wasAtCeiling ? ceiling : Math.min(limit, ceiling);
    },
    report(result, inUse, nowMs) {
      const calls = Number.isFinite(inUse) ? Math.max(1, inUse) : 1;
      if (result.kind === 'ok') succeed(result, calls, nowMs);
      if (result.kind === 'failed') fail(result.failure, calls, nowMs);
    },
  };
}

/** By one call at least, since a small limit at its true capacity goes up and down by that; at the floor there is no fewer. */
function isFewer(calls: number, than: number): boolean {
  return calls < Math.min(FEWER * than, than - 1) || calls <= FLOOR + 1;
}

function asCeiling(ceiling: number): number {
  return Number.isNaN(ceiling) ? 1 : Math.max(1, Math.floor(ceiling));
}
