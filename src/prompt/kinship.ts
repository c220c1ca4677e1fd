import { dropOldest } from '../core/newest.ts';
import { hashPair } from './content-hash.ts';
import type { Prefix } from './prefix.ts';

/**
 * Whether the head of a prompt (its tools and system) was seen before under another key: another model, other parameters,
 * another cache domain; or behind another first position. It only explains misses.
 */
export interface Kinship {
  elsewhere(prefix: Prefix, keys: HeadKeys): Relation;
  record(prefix: Prefix, keys: HeadKeys): void;
}

/** How the closest relative differs; null where the very same was seen, or nothing like it. */
export type Relation = 'model' | 'params' | 'domain' | 'first' | null;

export interface HeadKeys {
  readonly domain: string;
  readonly model: string;
  /** Hash of the parameters that key a cache, betas among them. */
  readonly params: number;
}

const MAX_HEADS = 8192;
/** Ways in which one head is used at a time; more than that and the oldest is forgotten. */
const MAX_WAYS = 8;

export function createKinship(): Kinship {
  const heads = new Map<number, readonly HeadKeys[]>();
  const add = (head: number, keys: HeadKeys): void => {
    const others = (heads.get(head) ?? []).filter((known) => !isSame(known, keys));
    heads.delete(head);
    heads.set(head, [...others.slice(1 - MAX_WAYS), keys]);
    dropOldest(heads, MAX_HEADS);
  };
  return {
    elsewhere(prefix, keys) {
      const relatives = heads.get(headOf(prefix));
      if (relatives) return closest(relatives, keys);
      const alike = heads.get(behindFirst(prefix)) ?? [];
      return alike.some(({ domain, model }) => domain === keys.domain && model === keys.model) ? 'first' : null;
    },
    record(prefix, keys) {
      add(headOf(prefix), keys);
      add(behindFirst(prefix), keys);
    },
  };
}

function isSame(one: HeadKeys, other: HeadKeys): boolean {
  return one.domain === other.domain && one.model === other.model && one.params === other.params;
}

/** The one that differs least speaks: parameters are less than a model, a model less than a domain. */
function closest(relatives: readonly HeadKeys[], keys: HeadKeys): Relation {
  if (relatives.some((known) => isSame(known, keys))) return null;
  const inDomain = relatives.filter(({ domain }) => domain === keys.domain);
  if (inDomain.length === 0) return 'domain';
  return inDomain.some(({ model }) => model === keys.model) ? 'params' : 'model';
}

/** Hash of tools and system, or of the first message where there are none, without anything that keys a cache. */
function headOf({ positions, systemEnd }: Prefix): number {
  return chain(positions.slice(0, Math.max(1, systemEnd)), WHOLE);
}

/** The same without its first position; of one position only, what comes next stands for it. */
function behindFirst({ positions, systemEnd }: Prefix): number {
  return chain(positions.slice(1, Math.max(2, systemEnd)), BEHIND);
}

/** Seeds that keep the two kinds of hash apart. */
const WHOLE = 0;
const BEHIND = 1;

function chain(positions: Prefix['positions'], seed: number): number {
  return positions.reduce((link, { hash }) => hashPair(link, hash), seed);
}
