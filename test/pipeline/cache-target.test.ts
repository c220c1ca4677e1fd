import { describe, expect, it } from 'vitest';
import type { GatewayRequest } from '../../src/core/exchange.ts';
import type { Tenant } from '../../src/core/tenant.ts';
import { cacheTarget, type CacheSettings, type CacheTarget } from '../../src/pipeline/cache/cache-target.ts';
import type { RoutedUpstream } from '../../src/pipeline/upstream.ts';
import { scanRequest } from '../../src/prompt/scan/scan.ts';
import { createTokenScale } from '../../src/prompt/token-scale.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { contextOf, createScriptedUpstream, requestOf, tenantOf } from './scripted.ts';

const SETTINGS: CacheSettings = { ttl: 'auto', prolong: 'learn', singleFlight: true, maxHoldMs: 5_000 };
const ROUTED: RoutedUpstream = {
  upstream: createScriptedUpstream(),
  credential: 'own',
  cacheDomain: 'main',
  stripsAttribution: true,
};
const BODY = { model: 'claude-opus-5', system: 'Be kind.', messages: [{ role: 'user', content: 'Hi' }] };

interface Case {
  readonly body?: object;
  readonly request?: Partial<GatewayRequest>;
  readonly tenant?: Partial<Tenant>;
  readonly routed?: Partial<RoutedUpstream>;
  readonly settings?: Partial<CacheSettings>;
}

function targetOf({ body = BODY, request = {}, tenant = {}, routed = {}, settings = {} }: Case = {}): CacheTarget {
  const scan = scanRequest(new TextEncoder().encode(JSON.stringify(body)));
  if (scan.kind !== 'scanned') throw new Error(scan.code);
  const context = contextOf(createFakeClock(), tenantOf({ cache: 'auto', ...tenant }));
  return cacheTarget(
    requestOf({ model: scan.model, prompt: scan.prompt, ...request }),
    { ...context, routed: { ...ROUTED, ...routed } },
    { ...SETTINGS, ...settings },
    createTokenScale(),
  );
}

function found(part?: Case): Extract<CacheTarget, { kind: 'target' }> {
  const target = targetOf(part);
  if (target.kind !== 'target') throw new Error(target.reason);
  return target;
}

/** Whether two requests can read what the other wrote. */
const share = (one: Case, other: Case): boolean => {
  const [a, b] = [found(one).view, found(other).view];
  return a.key === b.key && [...a.hashes as Float64Array].join() === [...b.hashes as Float64Array].join(); // prettier-ignore
};
const withHeader = (name: string, value: string): Case => ({ request: { headers: { [name]: value } } });

describe('whose request the prompt cache touches', () => {
  it.each<[string, Case, string]>([
    ['a token count', { request: { operation: 'count_tokens' } }, 'disabled'],
    ['a tenant that has it off', { tenant: { cache: 'off' } }, 'disabled'],
    ['a request that asks for none', withHeader('x-slipstream-cache', 'off'), 'disabled'],
    ['a compressed body', { request: { prompt: null, model: null } }, 'unreadable'],
    ['a body that is not understood', { body: { ...BODY, thread: { type: 'create' } } }, 'unreadable'],
    ['a body without a model', { body: { messages: [] } }, 'unreadable'],
  ])('not that of %s', (_who, part, reason) => {
    expect(targetOf(part)).toEqual({ kind: 'none', reason });
  });

  it.each<[string, Case, string]>([
    ['auto', {}, 'auto'],
    ['observe by the tenant', { tenant: { cache: 'observe' } }, 'observe'],
    ['observe by the request', withHeader('x-slipstream-cache', 'observe'), 'observe'],
    [
      'auto by the request of a tenant that is off',
      { tenant: { cache: 'off' }, ...withHeader('x-slipstream-cache', 'auto') },
      'auto',
    ],
    ['as the tenant has it, where the request asks for nonsense', withHeader('x-slipstream-cache', 'yes'), 'auto'],
  ])('%s', (_how, part, mode) => {
    expect(found(part).mode).toBe(mode);
  });
});

describe('two requests share a cache', () => {
  it.each<[string, Case, Case]>([
    ['of two tenants of one upstream', { tenant: { id: 'acme' } }, { tenant: { id: 'globex' } }],
    ['with the same betas in another order, or named twice', withHeader('anthropic-beta', 'a-1, b-2'), withHeader('anthropic-beta', 'b-2,a-1,,b-2')], // prettier-ignore
    ['over two upstreams of one domain', {}, { routed: { upstream: createScriptedUpstream('other') } }],
  ])('%s', (_what, one, other) => expect(share(one, other)).toBe(true));

  it.each<[string, Case, Case]>([
    ['not with another beta', withHeader('anthropic-beta', 'a-1'), withHeader('anthropic-beta', 'a-1,c-3')],
    ['not with another model', {}, { body: { ...BODY, model: 'claude-opus-5-5' } }],
    ['not in another workspace', {}, withHeader('anthropic-workspace-id', 'wrkspc_2')],
    ['not in another domain', {}, { routed: { cacheDomain: 'other' } }],
    ['not where each brings a credential of its own', { tenant: { id: 't-1' }, routed: { credential: 'caller' } }, { tenant: { id: 't-2' }, routed: { credential: 'caller' } }], // prettier-ignore
    ['not where one is only observed: it writes nothing', {}, { tenant: { cache: 'observe' } }],
  ])('%s', (_what, one, other) => expect(share(one, other)).toBe(false));

  it('and the betas count among the parameters that explain a miss', () => {
    expect(found(withHeader('anthropic-beta', 'a-1,b-2')).params).toBe(
      found(withHeader('anthropic-beta', 'b-2, a-1')).params,
    );
    expect(found(withHeader('anthropic-beta', 'a-1')).params).not.toBe(found().params);
  });
});

describe('the rules a request is planned by', () => {
  it.each([
    ['claude-opus-5-5', 512, 0.05],
    ['claude-sonnet-5', 1_024, 0.1],
    ['claude-haiku-4-5-20251001', 4_096, 0.1],
    ['claude-of-tomorrow', 4_096, 0.1],
  ])('are those of %s: at least %d tokens, reads at %d', (model, minimumTokens, read) => {
    expect(found({ body: { ...BODY, model } }).rules).toMatchObject({ minimumTokens, read, write5m: 1.25, write1h: 2 });
  });

  it.each(['auto', '5m', '1h'] as const)('carry the TTL of the settings: %s', (ttl) => {
    expect(found({ settings: { ttl } }).rules.ttl).toBe(ttl);
  });
});
