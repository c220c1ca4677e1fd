// One thing that must be true at the end of a soak, with its figures, and what all of them are judged by: the simulator's
// word for what was billed, the load's for what callers saw, the gateway's /metrics, which must say the same.

import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Books } from './account.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { MetricsPage } from './metrics-page.ts';

export interface Check {
  readonly name: string;
  readonly holds: boolean;
  readonly figures: string;
}

export interface Evidence {
  readonly books: Books;
  readonly page: MetricsPage;
  readonly totals: ReturnType<Simulator['totals']>;
  readonly checkpoints: readonly Checkpoint[];
  /** Whether the warm-up was long enough for the heap after it to be one of a gateway that has run for a while. */
  readonly isWarm: boolean;
  readonly internalErrors: readonly string[];
}

export function check(name: string, holds: boolean, figures: readonly string[]): Check {
  return { name, holds, figures: figures.join(' · ') };
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function isBetween(value: number, low: number, high: number): boolean {
  return low <= value && value <= high;
}
