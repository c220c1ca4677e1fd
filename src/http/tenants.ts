import type { Config, TenantConfig } from '../config/config.ts';
import type { Refusal } from '../core/errors.ts';
import { headerValue, type HeaderMap } from '../core/headers.ts';
import type { Tenant } from '../core/tenant.ts';

/**
 * Who is calling. Managed mode: the digest of the presented key is looked up, so that the time this takes says nothing
 * about any key. Pass-through: the credential is forwarded, and its digest names a tenant that lasts as long as it has
 * requests.
 */
export interface TenantDirectory {
  identify(headers: HeaderMap): Identified;
  /** The configured ones; empty in pass-through mode. */
  readonly tenants: readonly Tenant[];
}

export type Identified =
  { readonly kind: 'tenant'; readonly tenant: Tenant } | { readonly kind: 'refused'; readonly refusal: Refusal };

/** In pass-through mode the gateway must not be a new way to fail: wide limits, only against runaways. */
const PASS_THROUGH = { maxConcurrency: 256, maxWaiters: 1024, maxWaitMs: 30_000 };
const DIGEST_CHARACTERS_IN_ID = 10;

export function createTenantDirectory(config: Config, sha256Hex: (text: string) => string): TenantDirectory {
  if (config.mode === 'pass-through') {
    const upstreams = config.upstreams.map((upstream) => upstream.id);
    return { tenants: [], identify: (headers) => identifyByCredential(headers, upstreams, sha256Hex) };
  }
  const tenants = config.tenants.map((tenant) => [tenant, toTenant(tenant)] as const);
  const byDigest = new Map(tenants.flatMap(([{ keyDigests }, tenant]) => keyDigests.map((key) => [key, tenant])));
  return {
    tenants: tenants.map(([, tenant]) => tenant),
    identify(headers) {
      const presented = credentials(headers);
      if (presented.length === 0) return { kind: 'refused', refusal: { code: 'credential_missing' } };
      const known = presented.map((credential) => byDigest.get(sha256Hex(credential))).find((tenant) => tenant);
      return known ? { kind: 'tenant', tenant: known } : { kind: 'refused', refusal: { code: 'credential_unknown' } };
    },
  };
}

function identifyByCredential(
  headers: HeaderMap,
  upstreams: readonly string[],
  sha256Hex: (text: string) => string,
): Identified {
  const credential = credentials(headers)[0];
  if (credential === undefined) return { kind: 'refused', refusal: { code: 'credential_missing' } };
  const { maxConcurrency, maxWaiters, maxWaitMs } = PASS_THROUGH;
  const tenant: Tenant = {
    id: `t-${sha256Hex(credential).slice(0, DIGEST_CHARACTERS_IN_ID)}`,
    slots: { limit: maxConcurrency, maxWaiters, maxWaitMs },
    weight: 1,
    upstreams,
    budget: null,
    cache: 'auto',
    hangUp: 'cancel',
    recover: 'off',
  };
  return { kind: 'tenant', tenant };
}

function toTenant(config: TenantConfig): Tenant {
  return {
    id: config.id,
    slots: {
      limit: config.maxConcurrency,
      maxWaiters: config.queue.max,
      maxWaitMs: config.queue.timeoutMs,
    },
    weight: config.weight,
    upstreams: config.upstreams,
    budget: config.budget,
    cache: config.cache,
    hangUp: config.hangUp,
    recover: config.recover,
  };
}

/** SDKs from 1.0 on send a key as Bearer, older ones as x-api-key, Claude Code may send both: either may be ours. */
function credentials(headers: HeaderMap): string[] {
  const bearer = /^Bearer +(.+)$/i.exec(headerValue(headers, 'authorization') ?? '')?.[1];
  return [headerValue(headers, 'x-api-key'), bearer].filter((value) => value !== undefined && value !== '') as string[];
}
