import { hashPair } from './content-hash.ts';
import type { Prefix } from './prefix.ts';

/**
 * Whether the head of a prompt was seen before under another key: the same tools and system, but another model, other
 * parameters or another cache domain. It only explains misses.
 */
export interface Kinship {
  /** How the nearest relative of this head was keyed differently; null where there is none, or none that differs. */
  elsewhere(head: number, keys: HeadKeys): 'model' | 'params' | 'domain' | null;
  record(head: number, keys: HeadKeys): void;
}

export interface HeadKeys {
  readonly domain: string;
  readonly model: string;
  /** Hash of the parameters that key a cache. */
  readonly params: number;
}

const MAX_HEADS = 8192;

export function createKinship(): Kinship {
  const heads = new Map<number, HeadKeys>();
  return {
    elsewhere(head, keys) {
      const relative = heads.get(head);
      if (!relative) return null;
      if (relative.model !== keys.model) return 'model';
      if (relative.domain !== keys.domain) return 'domain';
      return relative.params === keys.params ? null : 'params';
    },
    record(head, keys) {
      heads.delete(head);
      heads.set(head, keys);
      if (heads.size > MAX_HEADS) heads.delete(heads.keys().next().value as number);
    },
  };
}

/** Hash of tools and system, or of the first message where there are none, without anything that keys a cache. */
export function headOf({ positions, systemEnd }: Prefix): number {
  return positions.slice(0, Math.max(1, systemEnd)).reduce((link, { hash }) => hashPair(link, hash), 0);
}
