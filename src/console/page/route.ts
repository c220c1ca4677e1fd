import type { CacheLabel, Fault, SavingsReport } from '../contract.ts';
import { CACHE_LABELS, FAULTS } from '../request-query.ts';

/**
 * The address's fragment as a value: `#/requests?fault=upstream` can be linked, left and come back to. What does not
 * parse is the overview, never an error.
 */
export type Route =
  | { readonly view: 'live' }
  | { readonly view: 'requests'; readonly filter: RequestFilter }
  | { readonly view: 'story'; readonly id: string }
  | { readonly view: 'prefixes' }
  | { readonly view: 'tenants' }
  | { readonly view: 'upstreams' }
  | { readonly view: 'savings'; readonly by: SavingsReport['by'] };

export interface RequestFilter {
  readonly tenant?: string;
  readonly model?: string;
  readonly cache?: CacheLabel;
  readonly fault?: Fault;
}

export const SAVINGS_BY: readonly SavingsReport['by'][] = ['tenant', 'model', 'day'];

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view, id] = path.split('/');
  const asked = new URLSearchParams(query);
  switch (view) {
    case 'requests':
      return id ? { view: 'story', id: decoded(id) } : { view: 'requests', filter: parseFilter(asked) };
    case 'prefixes':
    case 'tenants':
    case 'upstreams':
      return { view };
    case 'savings':
      return { view, by: oneOf(SAVINGS_BY, asked.get('by')) ?? 'tenant' };
    default:
      return { view: 'live' };
  }
}

export function hrefOf(route: Route): string {
  switch (route.view) {
    case 'requests':
      return `#/requests${queryOf(route.filter)}`;
    case 'story':
      return `#/requests/${encodeURIComponent(route.id)}`;
    case 'savings':
      return `#/savings?by=${route.by}`;
    default:
      return `#/${route.view}`;
  }
}

/** `?tenant=acme&fault=upstream`, or nothing: the API takes the same names as the address. */
export function queryOf(filter: RequestFilter, more: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams({ ...filter, ...more }).toString();
  return text === '' ? '' : `?${text}`;
}

function parseFilter(asked: URLSearchParams): RequestFilter {
  const tenant = asked.get('tenant');
  const model = asked.get('model');
  const cache = oneOf(CACHE_LABELS, asked.get('cache'));
  const fault = oneOf(FAULTS, asked.get('fault'));
  return { ...(tenant && { tenant }), ...(model && { model }), ...(cache && { cache }), ...(fault && { fault }) };
}

function oneOf<Name extends string>(names: readonly Name[], asked: string | null): Name | undefined {
  return names.find((name) => name === asked);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % is part of what somebody typed
  }
}
