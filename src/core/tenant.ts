/** Who a request is for. Made from the settings in managed mode, from the caller's credential in pass-through mode. */
export interface Tenant {
  readonly id: string;
  readonly slots: { readonly limit: number; readonly maxWaiters: number; readonly maxWaitMs: number };
  /** Share of a contended upstream, relative to the weights of the others there. */
  readonly weight: number;
  /** Ids of the upstreams that serve this tenant, in order of preference; never empty. */
  readonly upstreams: readonly string[];
  readonly budget: Budget | null;
  readonly cache: CacheMode;
  readonly hangUp: HangUpPolicy;
  readonly recover: RecoverPolicy;
}

/** When the caller leaves: `cancel` the upstream call at once, or `drain`: read it to its end, within a bound. */
export type HangUpPolicy = 'cancel' | 'drain';

/** When a stream breaks after content: `off` says so, `continue` asks the upstream to go on and joins the two. */
export type RecoverPolicy = 'off' | 'continue';

/** `auto` adds markers, `observe` plans and reports what that would have saved, `off` does neither. */
export type CacheMode = 'auto' | 'observe' | 'off';

export interface Budget {
  readonly usd: number;
  readonly per: 'hour' | 'day' | 'month';
}

/** First millisecond (Unix epoch, UTC) of the budget period that `wallMs` falls in. */
export function periodStartMs(per: Budget['per'], wallMs: number): number {
  const now = new Date(wallMs);
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  if (per === 'month') return Date.UTC(year, month);
  return per === 'day' ? Date.UTC(year, month, day) : Date.UTC(year, month, day, now.getUTCHours());
}

/** First millisecond of the next one: when a spent budget is whole again. */
export function periodEndMs(per: Budget['per'], wallMs: number): number {
  const start = new Date(periodStartMs(per, wallMs));
  if (per === 'month') return start.setUTCMonth(start.getUTCMonth() + 1);
  return per === 'day' ? start.setUTCDate(start.getUTCDate() + 1) : start.setUTCHours(start.getUTCHours() + 1);
}
