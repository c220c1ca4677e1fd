import type { Clock } from '../core/clock.ts';
import type { ObjectKind } from '../core/owned-objects.ts';
import { dropOldest } from '../core/newest.ts';
import { CLAIM_LIFE_MS, type Listed, type ObjectPage, type Ownership } from './ownership.ts';

/**
 * Ownership of one process: it ends with the process, and what was made before is nobody's then. A map's order is that of
 * the claims, oldest first, which is also the order in which they run out.
 */
export interface MemoryOwnershipOptions {
  /** Of one tenant and kind, at some 200 bytes each; the oldest is forgotten for one more. */
  readonly maxObjects?: number;
}

interface Claim {
  readonly upstreamId: string;
  readonly claimedAtMs: number;
}

type Book = Map<string, Claim>;

const MAX_OBJECTS = 100_000;

export function createMemoryOwnership(
  clock: Pick<Clock, 'nowMs'>,
  { maxObjects = MAX_OBJECTS }: MemoryOwnershipOptions = {},
): Ownership {
  const books: Readonly<Record<ObjectKind, Map<string, Book>>> = { batches: new Map(), files: new Map() };
  const bookOf = (tenantId: string, kind: ObjectKind): Book => {
    const book = books[kind].get(tenantId) ?? new Map<string, Claim>();
    const oldestMs = clock.nowMs() - CLAIM_LIFE_MS[kind];
    for (const [id, { claimedAtMs }] of book) {
      if (claimedAtMs > oldestMs) break;
      book.delete(id);
    }
    return book;
  };
  return {
    async claim(tenantId, kind, { id, upstreamId }) {
      const book = bookOf(tenantId, kind);
      if (book.has(id)) return;
      book.set(id, { upstreamId, claimedAtMs: clock.nowMs() });
      dropOldest(book, maxObjects);
      books[kind].set(tenantId, book);
    },
    async find(tenantId, kind, id) {
      const claim = bookOf(tenantId, kind).get(id);
      return claim ? { kind: 'owned', upstreamId: claim.upstreamId } : { kind: 'not_owned' };
    },
    async forget(tenantId, kind, id) {
      const book = bookOf(tenantId, kind);
      book.delete(id);
      if (book.size === 0) books[kind].delete(tenantId);
    },
    list: async (tenantId, kind, page) => pageOf(bookOf(tenantId, kind), page),
  };
}

function pageOf(book: Book, { limit, from }: ObjectPage): Listed {
  if (from !== null && !book.has(from.id)) return { kind: 'not_owned' };
  const newestFirst = [...book].map(([id, { upstreamId }]) => ({ id, upstreamId })).toReversed();
  const at = newestFirst.findIndex(({ id }) => id === from?.id); // -1 where there is none: all of them are older
  const rest = from?.direction === 'newer' ? newestFirst.slice(0, at) : newestFirst.slice(at + 1);
  const objects = from?.direction === 'newer' ? rest.slice(-limit) : rest.slice(0, limit);
  return { kind: 'listed', objects, hasMore: rest.length > objects.length };
}
