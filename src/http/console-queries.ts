import type { SavingsReport } from '../console/contract.ts';
import { CACHE_LABELS, FAULTS, type RequestQuery } from '../console/request-query.ts';

/** What the console's API can be asked, read from a query string. A fault names what would have been right. */
export type Read<Value> =
  { readonly kind: 'read'; readonly value: Value } | { readonly kind: 'bad'; readonly error: string };

type Query = Readonly<Record<string, string>>;

const USUAL_LIMIT = 100;
const MOST_REQUESTS = 500;
const REQUEST_FIELDS = ['limit', 'tenant', 'model', 'cache', 'fault', 'before'];
const GROUPS = ['tenant', 'model', 'day'] as const;

export function readRequestQuery(query: Query): Read<RequestQuery> {
  const limit = Number(query['limit'] ?? USUAL_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_REQUESTS)
    return bad('limit', `a whole number from 1 to ${MOST_REQUESTS}`);
  const { tenant, model, before } = query;
  const cache = oneOf(CACHE_LABELS, query['cache']);
  if (cache === 'none of them') return bad('cache', CACHE_LABELS.join(', '));
  const fault = oneOf(FAULTS, query['fault']);
  if (fault === 'none of them') return bad('fault', FAULTS.join(', '));
  const value = { limit, tenant, model, cache, fault, before };
  return unknownField(query, REQUEST_FIELDS) ?? { kind: 'read', value };
}

export function readSavingsQuery(query: Query): Read<SavingsReport['by']> {
  const by = oneOf(GROUPS, query['by'] ?? 'tenant');
  if (by === undefined || by === 'none of them') return bad('by', GROUPS.join(', '));
  return unknownField(query, ['by']) ?? { kind: 'read', value: by };
}

function oneOf<Name extends string>(
  names: readonly Name[],
  value: string | undefined,
): Name | 'none of them' | undefined {
  return value === undefined ? undefined : (names.find((name) => name === value) ?? 'none of them');
}

function unknownField(query: Query, known: readonly string[]): Read<never> | null {
  const field = Object.keys(query).find((name) => !known.includes(name));
  return field === undefined
    ? null
    : { kind: 'bad', error: `${field} is not known; what can be asked for is: ${known.join(', ')}.` };
}

function bad(field: string, wanted: string): Read<never> {
  return { kind: 'bad', error: `${field} takes ${wanted}.` };
}
