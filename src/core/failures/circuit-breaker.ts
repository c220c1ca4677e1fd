import type { AttemptResult } from '../attempt.ts';
import { createBreakerEvidence, meaningOf, type Meaning, type OutReason } from './breaker-evidence.ts';

/**
 * Whether an upstream is asked at all. Closed, everybody is let through; out, nobody until a wait is over, and then one call
 * at a time finds out. Every verdict begins a new term, and what was admitted in an earlier one is not listened to: so a
 * burst that was under way when the breaker opened can neither prolong nor end it, and an old key's 401 says nothing of
 * the new key.
 */
export type BreakerState = 'closed' | 'open' | 'half_open' | 'credential_refused';

export interface Admitted {
  readonly kind: 'admit';
  readonly isProbe: boolean;
  readonly term: number;
}

export type BreakerVerdict = Admitted | { readonly kind: 'refuse'; readonly retryAfterMs: number };

export interface BreakerTransition {
  readonly from: BreakerState;
  readonly to: BreakerState;
}

export interface CircuitBreaker {
  state(nowMs: number): BreakerState;
  /** Not a question only: whoever is admitted as a probe must report, at its first content rather than its last byte. */
  admit(nowMs: number): BreakerVerdict;
  /** @returns what to log; null where the state stayed. A second report of one call, such as a late break, is welcome. */
  report(result: AttemptResult, admitted: Admitted, nowMs: number): BreakerTransition | null;
  /** For a new key: what was learnt was learnt with the old one. */
  reset(): void;
}

interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** One strange 401 must not cost much, and a revoked key must not be tried all the time: hence the long way up. */
const BACKOFF: Readonly<Record<OutReason, Backoff>> = {
  open: { firstMs: 1_000, longestMs: 30_000 },
  credential_refused: { firstMs: 5_000, longestMs: 60_000 },
};
/** What fails again within this time of coming back goes on with the wait it had. */
const RELAPSE_MS = 60_000;
/** A probe that hangs (an answer in one piece takes minutes) keeps its place no longer; its verdict still counts. */
const PROBE_PATIENCE_MS = 30_000;
/** By then a probe that is under way has usually been answered. */
const PROBE_ANSWER_MS = 1_000;

/** `probeDueMs`: when the next probe may go; pushed on while one is under way. */
type Condition =
  | { readonly kind: 'in' }
  | { readonly kind: 'out'; readonly reason: OutReason; probeDueMs: number; isProbing: boolean };

export function createCircuitBreaker(): CircuitBreaker {
  const evidence = createBreakerEvidence();
  let condition: Condition = { kind: 'in' };
  let term = 0;
  let last: { readonly reason: OutReason; readonly waitMs: number; endedAtMs: number } | null = null;

  const enter = (next: Condition): void => {
    evidence.clear();
    term++;
    condition = next;
  };

  const takeOut = (reason: OutReason, nowMs: number): void => {
    const { firstMs, longestMs } = BACKOFF[reason];
    const isRelapse = last?.reason === reason && nowMs - last.endedAtMs < RELAPSE_MS;
    const waitMs = isRelapse && last ? Math.min(longestMs, last.waitMs * 2) : firstMs;
    last = { reason, waitMs, endedAtMs: Number.POSITIVE_INFINITY };
    enter({ kind: 'out', reason, probeDueMs: nowMs + waitMs, isProbing: false });
  };

  const putBack = (nowMs: number): void => {
    if (last) last.endedAtMs = nowMs;
    enter({ kind: 'in' });
  };

  const freePlace = (dueMs: number): void => {
    if (condition.kind === 'out') condition = { ...condition, isProbing: false, probeDueMs: dueMs };
  };

  const judge = (meaning: Meaning, reason: OutReason, nowMs: number): void => {
    const verdict = verdictOf(meaning, reason);
    if (verdict === 'put_back') return putBack(nowMs);
    if (verdict === 'none') return freePlace(nowMs + (last?.waitMs ?? 0));
    takeOut(verdict, nowMs);
  };

  return {
    state: (nowMs) => stateOf(condition, nowMs),
    admit(nowMs) {
      if (condition.kind === 'in') return { kind: 'admit', isProbe: false, term };
      const leftMs = condition.probeDueMs - nowMs;
      if (leftMs > 0)
        return { kind: 'refuse', retryAfterMs: condition.isProbing ? Math.min(leftMs, PROBE_ANSWER_MS) : leftMs };
      condition = { ...condition, isProbing: true, probeDueMs: nowMs + PROBE_PATIENCE_MS };
      return { kind: 'admit', isProbe: true, term };
    },
    report(result, admitted, nowMs) {
      if (admitted.term !== term) return null;
      if (result.kind === 'ignored') {
        freePlace(nowMs);
        return null;
      }
      const from = stateOf(condition, nowMs);
      const meaning = meaningOf(result);
      if (condition.kind === 'out') judge(meaning, condition.reason, nowMs);
      else {
        const reason = evidence.add(meaning, nowMs);
        if (reason) takeOut(reason, nowMs);
      }
      const to = stateOf(condition, nowMs);
      return from === to ? null : { from, to };
    },
    reset() {
      last = null;
      enter({ kind: 'in' });
    },
  };
}

function stateOf(condition: Condition, nowMs: number): BreakerState {
  if (condition.kind === 'in') return 'closed';
  if (condition.reason === 'credential_refused') return 'credential_refused';
  return condition.isProbing || nowMs >= condition.probeDueMs ? 'half_open' : 'open';
}

/**
 * What a probe has found out. Whoever answers a 429 or a 403 is up, and has accepted the key that gets a 429; a fault says
 * nothing of the key.
 */
function verdictOf(meaning: Meaning, reason: OutReason): OutReason | 'put_back' | 'none' {
  if (meaning === 'answered') return 'put_back';
  if (meaning === 'refused') return 'credential_refused';
  if (meaning === 'forbidden') return reason === 'open' ? 'put_back' : 'credential_refused';
  return reason === 'open' ? 'open' : 'none';
}
