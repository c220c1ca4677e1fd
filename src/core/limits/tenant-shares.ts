/**
 * Who of the tenants should have the next slot. Each has a share of the slots, by weight, among those who hold or want any.
 * First, in the order of coming, those who are modest or have had less than half their share; then everybody else, least
 * active (slots held, by weight) first, of equals the one served longest ago. What is modest is seen over minutes.
 *
 * Why not least active alone: a modest tenant in a busy moment holds as many as a greedy one in a lean one, and then the two
 * take turns, which triples and more what the modest one waits. Nearly nothing is better for the modest than to be served
 * in the order of coming before the greedy (bench/fairness). Why the half: or many modest ones could shut a big one out.
 */
export interface TenantShares {
  /** One more waits. */
  wait(tenant: string, weight: number, nowMs: number): void;
  /** One less waits, unserved. */
  leave(tenant: string, nowMs: number): void;
  /** One that waited has a slot. */
  serve(tenant: string, nowMs: number): void;
  release(tenant: string, nowMs: number): void;
  /** Who goes first of those whose first in line has waited since when. */
  first(lines: Iterable<readonly [tenant: string, sinceMs: number]>, limit: number, nowMs: number): string | null;
  /** How many of a tenant wait, and the share of `limit` slots it has, or would have with one more. */
  standing(tenant: string, weight: number, limit: number): { readonly waiting: number; readonly share: number };
  /** Tenants that are remembered. */
  readonly size: number;
}

interface TenantShare {
  weight: number;
  held: number;
  waiting: number;
  /** Mean of `held` over the last minutes, as of `meansAtMs`. */
  used: number;
  /** The same of what was held or waited for. */
  asked: number;
  meansAtMs: number;
  servedAs: number;
}

const MEMORY_MS = 120_000;
/** What a modest tenant asks for over minutes, in its shares and of all slots; at once it may be twice as much. */
const MODEST_SHARES = 6;
const MODEST_OF_ALL = 0.5;
const AT_ONCE = 2;
/** Everybody is sure of this part of its share, over minutes. */
const SURE = 0.5;
/** An idle tenant that asked for less than a slot is as good as a new one. */
const WORTH_REMEMBERING = 1;
const SMALLEST_WEIGHT = 1e-6;

export function createTenantShares(): TenantShares {
  const tenants = new Map<string, TenantShare>();
  let present = 0;
  let weightPresent = 0;
  let served = 0;
  let sweepAt = 64;

  const entry = (id: string, nowMs: number): TenantShare => {
    const known = tenants.get(id);
    if (known) return known;
    if (tenants.size >= sweepAt) sweep(nowMs);
    const fresh = { weight: 1, held: 0, waiting: 0, used: 0, asked: 0, meansAtMs: nowMs, servedAs: 0 };
    tenants.set(id, fresh);
    return fresh;
  };

  /** Those who used much and went are few at a time, but nothing else would ever look at them again. */
  const sweep = (nowMs: number): void => {
    for (const [id, tenant] of tenants) forgetIfIdle(id, tenant, nowMs);
    sweepAt = Math.max(64, 2 * tenants.size);
  };

  const forgetIfIdle = (id: string, tenant: TenantShare, nowMs: number): void => {
    settleMeans(tenant, nowMs);
    if (!isPresent(tenant) && tenant.asked < WORTH_REMEMBERING) tenants.delete(id);
  };

  /** Changes a tenant and keeps the sum of the weights of those present; rounding errors end when nobody is. */
  const change = (id: string, nowMs: number, apply: (tenant: TenantShare) => void): void => {
    const tenant = entry(id, nowMs);
    settleMeans(tenant, nowMs);
    present -= Number(isPresent(tenant));
    weightPresent -= isPresent(tenant) ? tenant.weight : 0;
    apply(tenant);
    present += Number(isPresent(tenant));
    weightPresent = present === 0 ? 0 : weightPresent + (isPresent(tenant) ? tenant.weight : 0);
    forgetIfIdle(id, tenant, nowMs);
  };

  const shareOf = (tenant: TenantShare, limit: number): number =>
    (limit * tenant.weight) / Math.max(weightPresent, tenant.weight);

  const rank = (tenant: TenantShare, sinceMs: number, limit: number, nowMs: number): Ranked => {
    settleMeans(tenant, nowMs);
    const share = shareOf(tenant, limit);
    tenant.used = Math.min(tenant.used, share); // what was left over is not held against who used it
    const isShort = Math.max(tenant.held, tenant.used) < SURE * share;
    if (isShort || isModest(tenant, share, limit)) return { group: 1, key: sinceMs, servedAs: tenant.servedAs };
    return { group: 2, key: tenant.held / tenant.weight, servedAs: tenant.servedAs };
  };

  return {
    get size() {
      return tenants.size;
    },
    wait: (id, weight, nowMs) =>
      change(id, nowMs, (tenant) => {
        tenant.weight = weight > SMALLEST_WEIGHT ? weight : SMALLEST_WEIGHT;
        tenant.waiting++;
      }),
    leave: (id, nowMs) => change(id, nowMs, (tenant) => tenant.waiting--),
    serve: (id, nowMs) =>
      change(id, nowMs, (tenant) => {
        tenant.waiting--;
        tenant.held++;
        tenant.servedAs = ++served;
      }),
    release: (id, nowMs) => change(id, nowMs, (tenant) => tenant.held--),
    first(lines, limit, nowMs) {
      let best: { readonly id: string; readonly ranked: Ranked } | null = null;
      for (const [id, sinceMs] of lines) {
        const ranked = rank(entry(id, nowMs), sinceMs, limit, nowMs);
        if (best === null || precedes(ranked, best.ranked)) best = { id, ranked };
      }
      return best?.id ?? null;
    },
    standing(id, weight, limit) {
      const tenant = tenants.get(id);
      const others = weightPresent - (tenant && isPresent(tenant) ? tenant.weight : 0);
      return { waiting: tenant?.waiting ?? 0, share: (limit * weight) / (others + weight) };
    },
  };
}

/** Smaller goes first, in all three. */
interface Ranked {
  readonly group: 1 | 2;
  readonly key: number;
  readonly servedAs: number;
}

function precedes(one: Ranked, other: Ranked): boolean {
  return (one.group - other.group || one.key - other.key || one.servedAs - other.servedAs) < 0;
}

function isModest(tenant: TenantShare, share: number, limit: number): boolean {
  const most = Math.max(share, Math.min(MODEST_SHARES * share, MODEST_OF_ALL * limit));
  return tenant.asked < most && tenant.held + tenant.waiting < AT_ONCE * most;
}

function isPresent({ held, waiting }: TenantShare): boolean {
  return held + waiting > 0;
}

/** Exact whenever it is called, since what it is the mean of does not change in between. */
function settleMeans(tenant: TenantShare, nowMs: number): void {
  const kept = Math.exp(-Math.max(0, nowMs - tenant.meansAtMs) / MEMORY_MS);
  tenant.used = tenant.used * kept + tenant.held * (1 - kept);
  tenant.asked = tenant.asked * kept + (tenant.held + tenant.waiting) * (1 - kept);
  tenant.meansAtMs = nowMs;
}
