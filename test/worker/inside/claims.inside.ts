import { env, evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { createClaims } from '../../../src/worker/objects/claims.ts';
import type { TenantObject } from '../../../src/worker/objects/tenant-object.ts';

/** A tenant's claims in the object that has them. Runs inside workerd. */
const { TENANTS } = env as unknown as { TENANTS: DurableObjectNamespace<TenantObject> };
let tenants = 0;
const newTenant = (): DurableObjectStub<TenantObject> => TENANTS.getByName(`claims-of-test-${tenants++}`);

const DAY_MS = 24 * 3_600_000;
const NEWEST = { limit: 9, from: null };

describe('claims in a tenant’s object', () => {
  it('are there again after an eviction', async () => {
    const tenant = newTenant();
    await tenant.claim('batches', { id: 'b1', upstreamId: 'main' });
    await tenant.claim('files', { id: 'f1', upstreamId: 'main' });
    await tenant.forgetClaim('files', 'f1');
    await evictDurableObject(tenant);
    expect(await tenant.findClaim('batches', 'b1')).toEqual({ kind: 'owned', upstreamId: 'main' });
    expect(await tenant.findClaim('files', 'f1')).toEqual({ kind: 'not_owned' });
  });

  it('live for 29 days as batches, and until they are forgotten as files', async () => {
    await runInDurableObject(newTenant(), (_object, { storage }) => {
      let wallMs = Date.UTC(2026, 10, 22);
      const claims = createClaims(storage.sql, { wallMs: () => wallMs });
      claims.claim('batches', { id: 'b1', upstreamId: 'main' });
      claims.claim('files', { id: 'f1', upstreamId: 'main' });
      wallMs += 29 * DAY_MS - 1;
      expect(claims.find('batches', 'b1').kind).toBe('owned');
      wallMs += 1;
      expect(claims.find('batches', 'b1').kind).toBe('not_owned');
      expect(claims.list('batches', NEWEST)).toMatchObject({ objects: [] });
      claims.claim('batches', { id: 'b2', upstreamId: 'main' });
      expect(storage.sql.exec('SELECT id FROM claims WHERE kind = ?', 'batches').toArray()).toEqual([{ id: 'b2' }]);
      wallMs += 1_000 * DAY_MS;
      expect(claims.find('files', 'f1').kind).toBe('owned');
    });
  });

  it('make no table for a tenant that has none', async () => {
    const tenant = newTenant();
    await tenant.count();
    await runInDurableObject(tenant, (_object, { storage }) => {
      expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'claims'").toArray()).toEqual([]);
    });
  });
});
