import type { Clock } from '../../core/clock.ts';
import type { ObjectKind } from '../../core/owned-objects.ts';
import { CLAIM_LIFE_MS, type Found, type Listed, type ObjectPage, type OwnedObject } from '../../state/ownership.ts';

/**
 * A tenant's batches and files, in the database of its object: on disk before anybody hears that they are claimed, and
 * there again after an eviction. Tenants that make none have no table. No two claims of a kind have the same millisecond.
 */
export interface Claims {
  claim(kind: ObjectKind, object: OwnedObject): void;
  find(kind: ObjectKind, id: string): Exclude<Found, { kind: 'unreachable' }>;
  forget(kind: ObjectKind, id: string): void;
  list(kind: ObjectKind, page: ObjectPage): Exclude<Listed, { kind: 'unreachable' }>;
}

type ClaimRow = { readonly id: string; readonly upstream: string; readonly at: number };

const TABLE = `
CREATE TABLE IF NOT EXISTS claims (
  kind TEXT NOT NULL, id TEXT NOT NULL, upstream TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_by_time ON claims (kind, at);
`;
const INSERT = `
INSERT OR IGNORE INTO claims (kind, id, upstream, at)
VALUES (?, ?, ?, MAX(?, COALESCE((SELECT MAX(at) + 1 FROM claims WHERE kind = ?), 0)))`;
const OLDER = 'SELECT id, upstream, at FROM claims WHERE kind = ? AND at < ? AND at > ? ORDER BY at DESC LIMIT ?';
const NEWER = 'SELECT id, upstream, at FROM claims WHERE kind = ? AND at > ? AND at > ? ORDER BY at LIMIT ?';

export function createClaims(sql: SqlStorage, clock: Pick<Clock, 'wallMs'>): Claims {
  let hasTable = false;
  const run = (query: string, ...values: (string | number)[]): ClaimRow[] => {
    if (!hasTable) sql.exec(TABLE);
    hasTable = true;
    return sql.exec<ClaimRow>(query, ...values).toArray();
  };
  /** What was claimed by then has run out. */
  const oldestMs = (kind: ObjectKind): number => Math.max(0, clock.wallMs() - CLAIM_LIFE_MS[kind]);
  const rowOf = (kind: ObjectKind, id: string) =>
    run('SELECT id, upstream, at FROM claims WHERE kind = ? AND id = ? AND at > ?', kind, id, oldestMs(kind))[0];
  return {
    claim(kind, { id, upstreamId }) {
      run('DELETE FROM claims WHERE kind = ? AND at <= ?', kind, oldestMs(kind));
      run(INSERT, kind, id, upstreamId, clock.wallMs(), kind);
    },
    find(kind, id) {
      const row = rowOf(kind, id);
      return row ? { kind: 'owned', upstreamId: row.upstream } : { kind: 'not_owned' };
    },
    forget: (kind, id) => void run('DELETE FROM claims WHERE kind = ? AND id = ?', kind, id),
    list(kind, { limit, from }) {
      const at = from === null ? Number.MAX_SAFE_INTEGER : rowOf(kind, from.id)?.at;
      if (at === undefined) return { kind: 'not_owned' };
      const isNewer = from?.direction === 'newer';
      const rows = run(isNewer ? NEWER : OLDER, kind, at, oldestMs(kind), limit + 1);
      const page = rows.slice(0, limit).map(({ id, upstream }) => ({ id, upstreamId: upstream }));
      return { kind: 'listed', objects: isNewer ? page.toReversed() : page, hasMore: rows.length > limit };
    },
  };
}
