/**
 * How much may run at once, apart from who waits (`state/slots.ts`) and how it is reported. A fixed number today; an
 * adaptive one moves by the same reports, which is why every user of a slot says how it went.
 */
export interface Limit {
  readonly current: number;
  report(signal: LimitSignal): void;
}

/** `dropped`: the upstream pushed back (429, 529); `ignored`: says nothing about capacity (the caller left). */
export type LimitSignal = 'success' | 'dropped' | 'ignored';

export function createFixedLimit(limit: number): Limit {
  return { current: limit, report: () => {} };
}
