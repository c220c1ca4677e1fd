import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { createTenantDirectory, type Identified } from '../../src/http/tenants.ts';

const sha256Hex = (text: string): string => hash('sha256', text, 'hex');

function configOf(text: string): Config {
  const result = parseConfig(text, {}, { sha256Hex });
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.problems));
  return result.config;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const tenantId = (identified: Identified): string | undefined =>
  identified.kind === 'tenant' ? identified.tenant.id : undefined;
const refusal = (identified: Identified): string | undefined =>
  identified.kind === 'refused' ? identified.refusal.code : undefined;

describe('in managed mode', () => {
  const [acmeKey, globexKey, secondKey] = [
    'key-of-acme-0123456789',
    'key-of-globex-0123456',
    'second-key-of-globex-01',
  ];
  const config = configOf(`
upstreams: [{ id: main, apiKey: upstream-key-0123456789 }]
tenants:
  - { id: acme, keys: ["${acmeKey}"], maxConcurrency: 3, queue: { max: 7, timeout: 2s }, budget: { usd: 5, per: day } }
  - { id: globex, keys: ["${globexKey}", "sha256:${sha256Hex(secondKey)}"] }
`);
  const directory = createTenantDirectory(config, sha256Hex);

  it.each([
    ['x-api-key', { 'x-api-key': acmeKey }, 'acme'],
    ['a bearer token', bearer(acmeKey), 'acme'],
    ['a bearer token in any case and spacing', { authorization: `bearer   ${globexKey}` }, 'globex'],
    ['a key that the settings know by its digest', bearer(secondKey), 'globex'],
    ['both, the same', { 'x-api-key': acmeKey, ...bearer(acmeKey) }, 'acme'],
    ['both, of which only the bearer is ours', { 'x-api-key': 'sk-ant-of-their-own', ...bearer(globexKey) }, 'globex'],
    ['both, of which only x-api-key is ours', { 'x-api-key': globexKey, ...bearer('oauth-token') }, 'globex'],
  ])('a tenant is known by %s', (_what, headers, id) => {
    expect(tenantId(directory.identify(headers))).toBe(id);
  });

  it.each([
    ['credential_missing', 'nothing', {}],
    ['credential_missing', 'an empty key', { 'x-api-key': '' }],
    ['credential_missing', 'another scheme', { authorization: `Basic ${acmeKey}` }],
    ['credential_missing', 'a bearer of nothing', { authorization: 'Bearer ' }],
    ['credential_unknown', 'a key nobody has', { 'x-api-key': 'sk-other' }],
    ['credential_unknown', 'the digest in place of the key', bearer(`sha256:${sha256Hex(secondKey)}`)],
    ['credential_unknown', 'the digest alone', bearer(sha256Hex(secondKey))],
    ['credential_unknown', 'a key with a space behind it', { 'x-api-key': `${acmeKey} ` }],
    ['credential_unknown', 'a key in the wrong case', { 'x-api-key': acmeKey.toUpperCase() }],
  ])('%s answers %s', (code, _what, headers) => {
    expect(refusal(directory.identify(headers))).toBe(code);
  });

  it('a tenant has its slots, its upstreams and its budget from the settings', () => {
    const acme = directory.tenants[0];
    expect(acme).toMatchObject({
      id: 'acme',
      slots: { limit: 3, maxWaiters: 7, maxWaitMs: 2_000 },
      upstreams: ['main'],
      budget: { usd: 5, per: 'day' },
      weight: 1,
      hangUp: 'cancel',
      recover: 'off',
    });
    expect(directory.identify(bearer(acmeKey))).toEqual({ kind: 'tenant', tenant: acme });
  });

  it('a tenant’s weight and its policies on hanging up and on broken streams are those of the settings', () => {
    const tenant = '{ id: acme, keys: [key-of-acme-0123456789], weight: 2.5, hangUp: drain, recover: continue }';
    const asked = configOf(`upstreams: [{ id: main, apiKey: upstream-key-0123456789 }]\ntenants: [${tenant}]\n`);
    const [acme] = createTenantDirectory(asked, sha256Hex).tenants;
    expect(acme).toMatchObject({ weight: 2.5, hangUp: 'drain', recover: 'continue' });
  });
});

describe('in pass-through mode', () => {
  const directory = createTenantDirectory(configOf(''), sha256Hex);

  it('anyone with a credential is a tenant, named by a digest that does not give it away', () => {
    const id = tenantId(directory.identify(bearer('sk-ant-secret')));
    expect(id).toMatch(/^t-[0-9a-f]{10}$/);
    expect(tenantId(directory.identify({ 'x-api-key': 'sk-ant-secret' }))).toBe(id);
    expect(tenantId(directory.identify(bearer('sk-ant-other')))).not.toBe(id);
    expect(directory.tenants).toEqual([]);
  });

  it('a tenant has wide limits, no budget and every upstream', () => {
    expect(directory.identify(bearer('sk-ant-secret'))).toMatchObject({
      tenant: { slots: { limit: 256 }, budget: null, upstreams: ['main'], weight: 1, hangUp: 'cancel', recover: 'off' },
    });
  });

  it('x-api-key names the tenant where both are sent', () => {
    const both = directory.identify({ 'x-api-key': 'a', ...bearer('b') });
    expect(tenantId(both)).toBe(tenantId(directory.identify({ 'x-api-key': 'a' })));
  });

  it('nobody without a credential is let in', () => {
    expect(refusal(directory.identify({ authorization: 'Basic abc' }))).toBe('credential_missing');
  });
});
