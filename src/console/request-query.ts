import type { CacheLabel, Fault, RequestRow } from './contract.ts';

/** Which of the newest requests are asked for. */
export interface RequestQuery extends RequestFilter {
  readonly limit: number;
  /** Those that ended before the one with this id. */
  readonly before?: string | undefined;
}

/** What is left out takes all. */
export interface RequestFilter {
  readonly tenant?: string | undefined;
  readonly model?: string | undefined;
  readonly cache?: CacheLabel | undefined;
  readonly fault?: Fault | undefined;
}

export const CACHE_LABELS = ['hit', 'partial', 'miss', 'off'] as const satisfies readonly CacheLabel[];
export const FAULTS = ['caller', 'gateway', 'upstream'] as const satisfies readonly Fault[];

const FIELDS = ['tenant', 'model', 'cache', 'fault'] as const;

export function matches(row: RequestRow, filter: RequestFilter): boolean {
  return FIELDS.every((field) => filter[field] === undefined || filter[field] === row[field]);
}
