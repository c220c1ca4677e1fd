import type { CapacityAsk } from './upstream-capacity.ts';

/** What is known of a line without asking those in it: how long a slot is held, and how much waits for each class. */
export interface WaitEstimate {
  waits(ask: CapacityAsk): void;
  wentOrLeft(ask: CapacityAsk): void;
  waitingFor(modelClass: string): Waiting;
  /** A slot was given back after so long. */
  held(forMs: number): void;
  /** When the last of `own` waiters of a tenant with a share of `share` slots has one; never later than the end of the whole line. */
  slotMs(own: number, share: number, all: number, limit: number): number;
}

interface Waiting {
  readonly requests: number;
  readonly tokens: number;
}

/** Until a slot has been held and returned nothing is known of how long one lasts. */
const FIRST_HOLD_ESTIMATE_MS = 5_000;
/** Weight of the newest in the moving average of how long one is held. */
const HOLD_SMOOTHING = 0.2;
const NONE: Waiting = { requests: 0, tokens: 0 };

export function createWaitEstimate(): WaitEstimate {
  const classes = new Map<string, Waiting>();
  let averageHoldMs = FIRST_HOLD_ESTIMATE_MS;
  const add = ({ modelClass, inputTokens }: CapacityAsk, sign: 1 | -1): void => {
    const { requests, tokens } = classes.get(modelClass) ?? NONE;
    if (requests + sign === 0) classes.delete(modelClass);
    else classes.set(modelClass, { requests: requests + sign, tokens: tokens + sign * inputTokens });
  };
  return {
    waits: (ask) => add(ask, 1),
    wentOrLeft: (ask) => add(ask, -1),
    waitingFor: (modelClass) => classes.get(modelClass) ?? NONE,
    held(forMs) {
      averageHoldMs += HOLD_SMOOTHING * (forMs - averageHoldMs);
    },
    slotMs(own, share, all, limit) {
      return averageHoldMs * Math.min(share > 0 ? own / share : Number.POSITIVE_INFINITY, all / Math.max(1, limit));
    },
  };
}
