import type { EngineHealth } from '../../state/engine.ts';

/**
 * Whether Redis can be relied on at this moment: one answer for all that stand on it. Whoever sees it fail reports that,
 * and from then on nobody asks it; only the engine's beat does, and says when it is well again. It begins unwell, since
 * nothing has been heard of it.
 */
export interface RedisHealth {
  isWell(): boolean;
  /** What takes longer has failed. */
  readonly slowMs: number;
  /** @param failure what a command was rejected with, or `SLOW`. */
  report(failure: unknown): void;
  /** Only who has made sure that Redis answers, takes writes and is about to be told what is held here. */
  recovered(): void;
  state(): EngineHealth;
  /** Called at each change, after `isWell` has changed. */
  onChange(listener: (health: EngineHealth) => void): void;
}

/** What is reported of a command that has taken too long. */
export const SLOW = new Error('Redis has not answered in time');

/** Issue 5: "slow (over 50 ms)"; a script on loopback takes 0.05. */
export const SLOW_MS = 50;

export function createRedisHealth(slowMs = SLOW_MS): RedisHealth {
  const listeners: ((health: EngineHealth) => void)[] = [];
  let state: EngineHealth = { kind: 'degraded', because: 'Redis has not been reached yet' };
  const become = (next: EngineHealth): void => {
    const isChange = next.kind !== state.kind;
    state = next;
    if (isChange) for (const listener of listeners) listener(next);
  };
  return {
    slowMs,
    isWell: () => state.kind === 'ok',
    report(failure) {
      if (state.kind === 'degraded' && isFollowUp(failure)) return;
      become({ kind: 'degraded', because: reasonOf(failure) });
    },
    recovered: () => become({ kind: 'ok' }),
    state: () => state,
    onChange: (listener) => void listeners.push(listener),
  };
}

/** The first word of Redis's error replies; what follows may tell addresses, which a readiness page should not. */
const REASONS: Readonly<Record<string, string>> = {
  OOM: 'Redis is full',
  READONLY: 'Redis is a replica that takes no writes',
  MASTERDOWN: 'Redis is a replica without its master',
  LOADING: 'Redis is loading its data',
  NOAUTH: 'Redis asks for a password',
  WRONGPASS: 'Redis refuses the password',
  NOPERM: 'Redis does not let this user run a command that is needed',
  MISCONF: 'Redis cannot save and takes no writes',
  BUSY: 'Redis is busy with a script',
  CLUSTERDOWN: 'the Redis Cluster does not serve every key',
};

/** ioredis on commands without a connection: why there is none has been reported when it was lost, or could not be made. */
function isFollowUp(failure: unknown): boolean {
  const text = failure instanceof Error ? failure.message : '';
  return /^(?:Stream isn't writeable|Connection is closed|Reached the max retries|Cluster isn't ready)/.test(text);
}

function reasonOf(failure: unknown): string {
  if (failure === SLOW) return 'Redis answers too slowly';
  const text = failure instanceof Error ? failure.message : '';
  const word = /^[A-Z]+/.exec(text)?.[0] ?? '';
  return (
    REASONS[word] ??
    (failure instanceof Error && failure.name === 'ReplyError' ? 'Redis replies with an error' : 'Redis is unreachable')
  );
}
