/**
 * Retries as the upstream's door sees them: a request that has been there before is there again. Counted from outside,
 * so that the figure holds whatever the gateway says of itself. Only the sample apps' requests carry an id to know them
 * by; whoever pastes the curl line is not counted.
 */
export interface RetryWatch {
  /** A new request of a tenant, until `end` is called. */
  begin(tenant: string): { readonly id: string; readonly end: () => void };
  /** Wraps the upstream's door. */
  watching(fetch: Fetch): Fetch;
  retriesOf(tenant: string): number;
}

export type Fetch = (request: Request) => Response | Promise<Response>;

/** Claude Code names its requests by this header; the gateway passes it on like any it does not know. */
export const REQUEST_ID_HEADER = 'x-client-request-id';

export function createRetryWatch(): RetryWatch {
  const open = new Map<string, { readonly tenant: string; attempts: number }>();
  const retries = new Map<string, number>();
  let lastId = 0;
  return {
    begin(tenant) {
      const id = `${tenant}-${++lastId}`;
      open.set(id, { tenant, attempts: 0 });
      return { id, end: () => open.delete(id) };
    },
    watching: (fetch) => (request) => {
      const known = open.get(request.headers.get(REQUEST_ID_HEADER) ?? '');
      if (known && ++known.attempts > 1) retries.set(known.tenant, (retries.get(known.tenant) ?? 0) + 1);
      return fetch(request);
    },
    retriesOf: (tenant) => retries.get(tenant) ?? 0,
  };
}
