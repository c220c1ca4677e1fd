import type { AttemptResult, FailureKind } from '../attempt.ts';
import { createFailureWindow } from './failure-window.ts';

/**
 * When a closed breaker opens. A share of faults needs enough calls to be one; where few calls come, a row of faults with
 * nothing between speaks as clearly. Rate limits and spent budgets are answers of a healthy upstream.
 */
export interface BreakerEvidence {
  /** @returns why the upstream should be taken out, or null. */
  add(meaning: Meaning, nowMs: number): OutReason | null;
  clear(): void;
}

export type OutReason = 'open' | 'credential_refused';

/** `refused`: the key, beyond doubt; `forbidden`: the key, or this request alone. */
export type Meaning = 'answered' | 'fault' | 'overloaded' | 'refused' | 'forbidden';

const MEANING: Readonly<Record<FailureKind, Meaning>> = {
  rate_limited: 'answered',
  acceleration: 'answered',
  concurrent_connections: 'answered',
  spend_limit: 'answered',
  overloaded: 'overloaded',
  server_error: 'fault',
  stream_error: 'fault',
  network: 'fault',
  timeout: 'fault',
  credential_refused: 'refused',
};

export function meaningOf(result: Exclude<AttemptResult, { kind: 'ignored' }>): Meaning {
  if (result.kind === 'ok') return 'answered';
  const { kind, reach } = result.failure;
  return kind === 'credential_refused' && reach === 'perhaps_request' ? 'forbidden' : MEANING[kind];
}

const WINDOW_MS = 10_000;
/** Below this a share means nothing. */
const MIN_CALLS = 10;
const FAULT_SHARE = 0.5;
const FAULTS_IN_A_ROW = 5;
/** One call in five answered 529 is ridden out by retries (19 of 20 by chance: once in 10¹²); nearly all, for long, is not. */
const OVERLOADED_MIN_CALLS = 20;
const OVERLOADED_SHARE = 0.95;
const OVERLOADED_SPAN_MS = 5_000;
/**
 * A 403 is `permission_error`: the key may not use this resource (docs: errors), be it one model or everything. It is the
 * key when so many come in a row, over so long, that the successes of others would have come between.
 */
const FORBIDDEN_IN_A_ROW = 5;
const FORBIDDEN_SPAN_MS = 10_000;

export function createBreakerEvidence(): BreakerEvidence {
  const window = createFailureWindow(WINDOW_MS);
  let faultsInARow = 0;
  let forbiddenInARow = 0;
  let forbiddenSinceMs = 0;

  const addForbidden = (nowMs: number): OutReason | null => {
    if (forbiddenInARow++ === 0) forbiddenSinceMs = nowMs;
    const isKey = forbiddenInARow >= FORBIDDEN_IN_A_ROW && nowMs - forbiddenSinceMs >= FORBIDDEN_SPAN_MS;
    return isKey ? 'credential_refused' : null;
  };

  const isDown = (nowMs: number): boolean => {
    if (faultsInARow >= FAULTS_IN_A_ROW) return true;
    const { calls, faults, overloaded, spanMs } = window.totals(nowMs);
    if (calls >= MIN_CALLS && faults >= FAULT_SHARE * calls) return true;
    const isNearlyAll = calls >= OVERLOADED_MIN_CALLS && faults + overloaded >= OVERLOADED_SHARE * calls;
    return isNearlyAll && spanMs >= OVERLOADED_SPAN_MS;
  };

  return {
    add(meaning, nowMs) {
      if (meaning === 'refused') return 'credential_refused';
      if (meaning === 'forbidden') return addForbidden(nowMs);
      window.add(meaning, nowMs);
      if (meaning === 'answered') {
        faultsInARow = 0;
        forbiddenInARow = 0;
        return null;
      }
      if (meaning === 'fault') faultsInARow++;
      return isDown(nowMs) ? 'open' : null;
    },
    clear() {
      window.clear();
      faultsInARow = 0;
      forbiddenInARow = 0;
    },
  };
}
