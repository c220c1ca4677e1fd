import { placeOf } from '../core/scanned-prompt.ts';
import { dropOldest } from '../core/newest.ts';
import type { Prefix } from './prefix.ts';

/**
 * Finds the block that changes in every request although what stands before and behind it does not: a timestamp at the
 * head, a request id in the system prompt. Everything behind such a block is paid for again each time. This only names
 * it and what it costs: advice, never an edit.
 */
export interface VolatileBlock {
  readonly tenant: string;
  readonly model: string;
  /** As `system[0]`. */
  readonly place: string;
  readonly requests: number;
  /** Requests in which this place was as none of the last few. */
  readonly changes: number;
  /** Tokens of head behind it that could be read if it stood still, per request on average. */
  readonly tokensBehind: number;
  readonly requestsPerDay: number;
}

export interface VolatilePrefixes {
  record(request: { tenant: string; model: string; prefix: Prefix; tokensPerByte: number; nowMs: number }): void;
  /** Those with enough requests to be sure, the dearest first. */
  found(nowMs: number): VolatileBlock[];
}

interface Watched {
  readonly tenant: string;
  readonly model: string;
  readonly place: string;
  readonly sinceMs: number;
  /** Of this place, newest last: prompts that take turns are no volatile one. */
  lastHashes: readonly number[];
  /** Hash of the position behind it: a stable neighbour is what tells a volatile block from another prompt. */
  lastNext: number;
  requests: number;
  changes: number;
  stableNeighbours: number;
  tokensBehind: number;
}

/** Places watched at most; the longest unused is forgotten. */
const MAX_WATCHED = 4096;
const MIN_REQUESTS = 8;
const HASHES_KEPT = 8;
const CHANGING_SHARE = 0.9;
const DAY_MS = 24 * 3_600_000;

export function createVolatilePrefixes(): VolatilePrefixes {
  const watched = new Map<string, Watched>();
  return {
    record({ tenant, model, prefix, tokensPerByte, nowMs }) {
      const { positions, hashes, bytes, systemEnd } = prefix;
      const headBytes = systemEnd > 0 ? (bytes[systemEnd - 1] as number) : 0;
      for (let at = 0; at < systemEnd - 1; at++) {
        const position = positions[at];
        const next = positions[at + 1];
        if (!position || !next) return;
        const before = at === 0 ? 0 : (hashes[at - 1] as number);
        const key = `${tenant}\n${model}\n${before}\n${at}`;
        const entry = watched.get(key) ?? newWatched(tenant, model, placeOf(position), nowMs);
        note(entry, position.hash, next.hash, (headBytes - (bytes[at] as number)) * tokensPerByte);
        watched.delete(key);
        watched.set(key, entry);
        dropOldest(watched, MAX_WATCHED);
        if (entry.changes > 1 && isVolatile(entry)) return; // what stands behind it never has the same prefix
      }
    },
    found: (nowMs) =>
      [...watched.values()]
        .filter((entry) => entry.requests >= MIN_REQUESTS && isVolatile(entry))
        .map((entry) => describe(entry, nowMs))
        .toSorted((one, other) => other.tokensBehind * other.requestsPerDay - one.tokensBehind * one.requestsPerDay),
  };
}

function newWatched(tenant: string, model: string, place: string, nowMs: number): Watched {
  return {
    tenant,
    model,
    place,
    sinceMs: nowMs,
    lastHashes: [],
    lastNext: Number.NaN,
    requests: 0,
    changes: 0,
    stableNeighbours: 0,
    tokensBehind: 0,
  };
}

function note(entry: Watched, hash: number, next: number, tokensBehind: number): void {
  if (entry.requests > 0 && !entry.lastHashes.includes(hash)) {
    entry.changes++;
    if (next === entry.lastNext) entry.stableNeighbours++;
  }
  entry.requests++;
  entry.lastHashes = [...entry.lastHashes.filter((known) => known !== hash).slice(1 - HASHES_KEPT), hash];
  entry.lastNext = next;
  entry.tokensBehind += (tokensBehind - entry.tokensBehind) / entry.requests;
}

function isVolatile({ requests, changes, stableNeighbours }: Watched): boolean {
  return changes >= CHANGING_SHARE * (requests - 1) && stableNeighbours >= CHANGING_SHARE * changes;
}

function describe(entry: Watched, nowMs: number): VolatileBlock {
  const { tenant, model, place, requests, changes, tokensBehind } = entry;
  const days = Math.max(nowMs - entry.sinceMs, 60_000) / DAY_MS;
  return { tenant, model, place, requests, changes, tokensBehind, requestsPerDay: requests / days };
}
