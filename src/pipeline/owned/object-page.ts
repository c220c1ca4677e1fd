import type { Outcome } from '../../core/exchange.ts';
import type { ObjectKind } from '../../core/owned-objects.ts';
import type { ListedObject, ListQuery } from '../../ingress/object-list.ts';
import type { OwnedObject, Ownership } from '../../state/ownership.ts';
import type { Fetched } from './fetch-object.ts';
import { notFound } from './not-found.ts';

/** What a list shows: taken from a tenant's book and asked for, a few at once. */
export type Page =
  | {
      readonly kind: 'page';
      readonly objects: readonly ListedObject[];
      readonly hasMore: boolean;
      /** In the book, and not upstream. */
      readonly gone: readonly string[];
    }
  | Extract<Fetched, { kind: 'failed' | 'ended' }>;

export interface Book {
  readonly ownership: Ownership;
  readonly tenantId: string;
  readonly of: ObjectKind;
}

type Ask = (object: OwnedObject) => Promise<Fetched>;

const AT_ONCE = 5;
/** What the upstream no longer has leaves a page short; it is filled so often. */
const MAX_ROUNDS = 3;

export async function pageFromBook(query: ListQuery, { ownership, tenantId, of }: Book, ask: Ask): Promise<Page> {
  const direction = query.from?.direction ?? 'older';
  let { from } = query;
  let objects: readonly ListedObject[] = [];
  let hasMore = true;
  const gone: string[] = [];
  for (let round = 0; hasMore && objects.length < query.limit && round < MAX_ROUNDS; round++) {
    const listed = await ownership.list(tenantId, of, { limit: query.limit - objects.length, from });
    if (listed.kind !== 'listed') return ended(listed, of, from?.id ?? '');
    const fetched = await fetchAll(listed.objects, ask);
    if (fetched.kind !== 'page') return fetched;
    objects = direction === 'older' ? [...objects, ...fetched.objects] : [...fetched.objects, ...objects];
    gone.push(...fetched.gone);
    ({ hasMore } = listed);
    const farthest = direction === 'older' ? listed.objects.at(-1) : listed.objects[0];
    if (farthest) from = { direction, id: farthest.id };
  }
  return { kind: 'page', objects, hasMore, gone };
}

/** Those of them that are the tenant's; of others nothing is said (SDK types, file list). */
export async function pageOfIds(ids: readonly string[], { ownership, tenantId, of }: Book, ask: Ask): Promise<Page> {
  const owned: OwnedObject[] = [];
  for (const id of ids) {
    const found = await ownership.find(tenantId, of, id);
    if (found.kind === 'unreachable') return ended(found, of, id);
    if (found.kind === 'owned') owned.push({ id, upstreamId: found.upstreamId });
  }
  return fetchAll(owned, ask);
}

async function fetchAll(wanted: readonly OwnedObject[], ask: Ask): Promise<Page> {
  const objects: ListedObject[] = [];
  const gone: string[] = [];
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    for (const fetched of await Promise.all(wanted.slice(at, at + AT_ONCE).map(ask))) {
      if (fetched.kind === 'failed' || fetched.kind === 'ended') return fetched;
      if (fetched.kind === 'object') objects.push(fetched.object);
      else gone.push(fetched.id);
    }
  }
  return { kind: 'page', objects, hasMore: false, gone };
}

function ended(found: Parameters<typeof notFound>[0], of: ObjectKind, id: string): Page {
  const outcome: Outcome = { kind: 'refused', refusal: notFound(found, of, id) };
  return { kind: 'ended', outcome };
}
