import type { Clock } from '../../core/clock.ts';

/**
 * When a replica that was without Redis may rely on it again. After a short silence on an unbroken connection at once:
 * every lease is still there. Otherwise it may be empty, or the leases in it out of date, and the first to come back would
 * find slots free that others hold; so each first only registers what it holds, for as long as all need to notice.
 */
export interface Rejoining {
  /** Whether this replica has ever relied on it. The first time it waits for nobody. */
  readonly hasJoined: boolean;
  lostConnection(): void;
  failed(): void;
  /** Redis has answered and taken a write. */
  answered(): 'join' | 'register';
}

/** Twice what a replica needs to connect again and to probe. */
const REGISTER_MS = 1_500;
/** Of the life of a lease, which was renewed a third of it ago. */
const SHORT_SILENCE = 1 / 3;

export function createRejoining({ clock, leaseMs }: { readonly clock: Clock; readonly leaseMs: number }): Rejoining {
  let hasJoined = false;
  let isConnectionLost = false;
  let failedAtMs: number | null = null;
  let answersSinceMs: number | null = null;
  return {
    get hasJoined() {
      return hasJoined;
    },
    lostConnection() {
      isConnectionLost = true;
      answersSinceMs = null;
    },
    failed() {
      failedAtMs ??= clock.nowMs();
      answersSinceMs = null;
    },
    answered() {
      const nowMs = clock.nowMs();
      answersSinceMs ??= nowMs;
      const wasShort = !isConnectionLost && nowMs - (failedAtMs ?? nowMs) < leaseMs * SHORT_SILENCE;
      if (hasJoined && !wasShort && nowMs - answersSinceMs < REGISTER_MS) return 'register';
      hasJoined = true;
      isConnectionLost = false;
      failedAtMs = null;
      answersSinceMs = null;
      return 'join';
    },
  };
}
