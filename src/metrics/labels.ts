import { modelName } from '../core/models.ts';

/** Closed label sets: what callers send in, a model name or a new credential, must not grow the number of series. */

export function modelLabel(model: string | null): string {
  return modelName(model) ?? 'other';
}

export interface TenantLabels {
  of(tenantId: string): string;
}

/** Tenants get a label of their own up to `cap`, first come first served; the rest share `other`. */
export function createTenantLabels(cap = 200): TenantLabels {
  const named = new Set<string>();
  return {
    of(tenantId) {
      if (named.has(tenantId)) return tenantId;
      if (named.size >= cap) return 'other';
      named.add(tenantId);
      return tenantId;
    },
  };
}
