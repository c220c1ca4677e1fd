import type { Bucket, History, Snapshot } from '../../contract.ts';
import { mergeBuckets } from './buckets.ts';

/** What has come over the live feed, folded: the newest snapshot and the last half hour. */
export interface LiveState {
  readonly snapshot: Snapshot | null;
  readonly buckets: readonly Bucket[];
  readonly bucketMs: number;
  /** The gateway's clock less this page's, in ms: countdowns run by the gateway's. */
  readonly aheadMs: number;
}

export const NOTHING_YET: LiveState = { snapshot: null, buckets: [], bucketMs: 10_000, aheadMs: 0 };

/** @param nowMs of the page, milliseconds since 1970. An event of another type or without sense changes nothing. */
export function foldEvent(state: LiveState, type: string, data: string, nowMs: number): LiveState {
  const value = parsed(data);
  if (value === null) return state;
  if (type === 'history') {
    const { bucketMs, buckets } = value as History;
    return { ...state, bucketMs, buckets: mergeBuckets([], buckets) };
  }
  if (type !== 'snapshot') return state;
  const snapshot = value as Snapshot;
  const buckets = mergeBuckets(state.buckets, snapshot.buckets);
  return { ...state, snapshot, buckets, aheadMs: snapshot.atMs - nowMs };
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
