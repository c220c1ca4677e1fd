/**
 * What answers have told that no prompt shows. `kept`: of the reads promised to a key, how many came: where writes are
 * paid and nothing is ever read (an upstream that does not cache, a field that keys the cache and is unknown to us), expected
 * gains shrink to nothing and writing stops; old evidence fades by half an hour after hour, so that it is tried again.
 * `prolonged`: whether entries that only a prolonging 1h write could have kept alive were read.
 */
export interface Trust {
  readonly keys: Map<string, KeyTrust>;
  readonly prolong: { kept: number; lost: number; probesAsked: number };
}

interface KeyTrust {
  promised: number;
  kept: number;
  fadedMs: number;
}

/** A promise counts in requests: one request that read nothing of what it was promised is one lost. */
const PRIOR_PROMISES = 2;
const HALF_LIFE_MS = 3_600_000;
const MAX_KEYS = 4096;
const DECIDING_VOTES = 4;
const MAX_PROBES = 32;

export function createTrust(): Trust {
  return { keys: new Map(), prolong: { kept: 0, lost: 0, probesAsked: 0 } };
}

/** Share of promised reads that come, from 0 to 1. */
export function trustIn(trust: Trust, key: string, nowMs: number): number {
  const known = trust.keys.get(key);
  if (!known) return 1;
  const fade = 2 ** -Math.max(0, (nowMs - known.fadedMs) / HALF_LIFE_MS);
  return (known.kept * fade + PRIOR_PROMISES) / (known.promised * fade + PRIOR_PROMISES);
}

/** `share` of what was promised was read. */
export function recordPromise(trust: Trust, key: string, share: number, nowMs: number): void {
  let known = trust.keys.get(key);
  if (!known) {
    if (trust.keys.size >= MAX_KEYS) return;
    trust.keys.set(key, (known = { promised: 0, kept: 0, fadedMs: nowMs }));
  }
  const fade = 2 ** -Math.max(0, (nowMs - known.fadedMs) / HALF_LIFE_MS);
  known.promised = known.promised * fade + 1;
  known.kept = known.kept * fade + Math.min(1, share);
  known.fadedMs = nowMs;
}

/** What live reads say: `unknown` until the votes are clear. */
export function prolongVerdict(trust: Trust): 'yes' | 'no' | 'unknown' {
  const { kept, lost } = trust.prolong;
  if (kept - lost >= DECIDING_VOTES) return 'yes';
  return lost - kept >= DECIDING_VOTES ? 'no' : 'unknown';
}

export function mayProbe(trust: Trust): boolean {
  return prolongVerdict(trust) === 'unknown' && trust.prolong.probesAsked < MAX_PROBES;
}
