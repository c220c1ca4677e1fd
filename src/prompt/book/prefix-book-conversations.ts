import { dropOldest } from '../../core/newest.ts';
import type { SharedPrefix } from './prefix-book-node.ts';

/**
 * How many conversations stand on each shared prefix: those heard of within the hour, each known by the hash of what first
 * sets it apart from the longest shared prefix it stands on. A conversation on a prefix stands on all that lie below it.
 */
export interface Conversations {
  heard(head: number, on: SharedPrefix, nowMs: number): void;
  /** What looked like one conversation were several: they are heard of under heads of their own. */
  forget(head: number): void;
  countByPrefix(nowMs: number): ReadonlyMap<SharedPrefix, number>;
}

interface Conversation {
  on: SharedPrefix;
  heardMs: number;
}

/** With forgotten prefixes they may hold on to, some 600 bytes each. Of more in an hour, the last heard of are counted. */
const MAX_CONVERSATIONS = 8_192;
const HOUR_MS = 3_600_000;

export function createConversations(): Conversations {
  const known = new Map<number, Conversation>();
  return {
    heard(head, on, nowMs) {
      const conversation = known.get(head) ?? { on, heardMs: nowMs };
      conversation.on = on;
      conversation.heardMs = nowMs;
      known.delete(head);
      known.set(head, conversation);
      dropOldest(known, MAX_CONVERSATIONS);
    },
    forget: (head) => void known.delete(head),
    countByPrefix(nowMs) {
      const counts = new Map<SharedPrefix, number>();
      for (const { on, heardMs } of known.values()) {
        if (nowMs - heardMs > HOUR_MS) continue;
        for (let node: SharedPrefix | null = on; node; node = node.parent) {
          if (node.standing === 'known') counts.set(node, (counts.get(node) ?? 0) + 1);
        }
      }
      return counts;
    },
  };
}
