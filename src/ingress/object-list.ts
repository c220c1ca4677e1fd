import { concatenate } from '../core/bytes.ts';
import type { ObjectKind } from '../core/owned-objects.ts';

/**
 * Lists of batches and files on the wire: what of it a request asks for, and the list as it is answered. Batches, and files
 * in their older form, go by `after_id` and `before_id`; files by `page` or by their `ids`, too (SDK 1.x). A page is named
 * by the object that it follows, so that one answer serves all of them.
 */
export interface ListQuery {
  readonly limit: number;
  readonly from: { readonly direction: 'older' | 'newer'; readonly id: string } | null;
  /** These and no others; null: a page. */
  readonly ids: readonly string[] | null;
  /** What each object is asked for with: the older way to ask for betas. */
  readonly isBeta: boolean;
}

export interface ListedObject {
  readonly id: string;
  /** As the upstream wrote it. */
  readonly bytes: Uint8Array;
}

/** Each costs a call; a caller that wants more gets it with the next page. */
const MAX_LIMIT = 50;
const DEFAULT_LIMIT = 20;
/** As the API takes them (SDK types, file list). */
const MAX_IDS = 100;

/** @param target path and query. */
export function readListQuery(target: string): ListQuery {
  const query = new URLSearchParams(target.split('?')[1] ?? '');
  const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
  const older = query.get('after_id') ?? query.get('page');
  const newer = query.get('before_id');
  const ids = [...query.getAll('ids'), ...query.getAll('ids[]')].flatMap((list) => list.split(','));
  return {
    limit: limit >= 1 ? Math.min(Math.floor(limit), MAX_LIMIT) : DEFAULT_LIMIT,
    from: older ? { direction: 'older', id: older } : newer ? { direction: 'newer', id: newer } : null,
    ids: ids.length > 0 ? [...new Set(ids)].slice(0, MAX_IDS) : null,
    isBeta: query.get('beta') === 'true',
  };
}

export function listAnswer(of: ObjectKind, objects: readonly ListedObject[], hasMore: boolean): Uint8Array {
  const encoder = new TextEncoder();
  const comma = encoder.encode(',');
  const lastId = objects.at(-1)?.id ?? null;
  const rest = JSON.stringify({
    has_more: hasMore,
    first_id: objects[0]?.id ?? null,
    last_id: lastId,
    ...(of === 'files' ? { next_page: hasMore ? lastId : null } : {}),
  });
  const data = objects.flatMap(({ bytes }, index) => (index === 0 ? [bytes] : [comma, bytes]));
  return concatenate([encoder.encode('{"data":['), ...data, encoder.encode(`],${rest.slice(1)}`)]);
}
