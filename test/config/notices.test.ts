import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../src/config/advice.ts';
import { accept, MANAGED, sha256Hex, tenantWith } from './parsing.ts';

const notices = (text: string, environment = {}) => accept(text, environment).notices;
const paths = (text: string, environment = {}) => notices(text, environment).map(({ path }) => path);

describe('settings that this version does not act on', () => {
  it.each([['cache: { minReuse: 2 }', 'cache.minReuse']])('%j gives a notice', (text, path) => {
    const [notice, ...others] = notices(text);
    expect(others).toEqual([]);
    expect(notice).toMatchObject({ path, message: expect.stringContaining('has no effect yet') });
    expect(notice?.line).toBeGreaterThan(0);
  });

  it.each([
    'cache: { singleFlight: true, maxHold: 5s, ttl: 1h, prolong: yes, minReuse: auto }',
    'console: { enabled: false }',
    'console: { token: open-sesame }',
    tenantWith('cache: observe'),
    tenantWith('weight: 2'),
    tenantWith('hangUp: drain', 'recover: continue'),
    MANAGED,
    '',
  ])('%j asks for nothing that is not there', (text) => {
    expect(notices(text)).toEqual([]);
  });
});

describe('who can reach the gateway', () => {
  it('listening beyond loopback without tenants gives a notice with its line', () => {
    expect(notices('listen:\n  host: 0.0.0.0\n')).toMatchObject([{ path: 'listen.host', line: 2 }]);
  });

  it('HOST of the environment gives it as well, without a line', () => {
    const [notice] = notices('listen: { host: localhost }', { HOST: '0.0.0.0' });
    expect(notice).toMatchObject({ path: 'listen.host', message: expect.stringContaining('"0.0.0.0"') });
    expect(notice).not.toHaveProperty('line');
  });

  it('with tenants it gives none', () => {
    expect(paths(`${MANAGED}listen: { host: 0.0.0.0 }\n`)).toEqual([]);
  });

  it.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost', 'LOCALHOST', 'a.localhost'])('%s is loopback', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '127.example.com', 'localhost.example.com'])('%s is not loopback', (host) => {
    expect(isLoopback(host)).toBe(false);
  });

  it('an apiKey without tenants is spent by everyone, which a notice says', () => {
    const text = 'upstreams: [{ id: a }, { id: b, apiKey: some-upstream-key }]';
    expect(notices(text)).toMatchObject([{ path: 'upstreams[1].apiKey', message: expect.stringContaining('spends') }]);
  });
});

describe('a notice of going away', () => {
  it('that lasts longer than the drain it is a part of gives a notice, one as long as it does not', () => {
    expect(notices('limits: { drain: 5s, drainNotice: 6s }')).toMatchObject([{ path: 'limits.drainNotice', line: 1 }]);
    expect(notices('limits: { drain: 5s, drainNotice: 5s }')).toEqual([]);
  });
});

describe('short keys', () => {
  it('a key of 15 characters gives a notice that does not quote it, one of 16 gives none', () => {
    const withKey = (key: string) => MANAGED.replace('gateway-key-of-acme', key);
    const short = notices(withKey('x23456789012345'));
    expect(short).toMatchObject([{ path: 'tenants[0].keys[0]', line: 6 }]);
    expect(JSON.stringify(short)).not.toContain('x2345');
    expect(notices(withKey('x234567890123456'))).toEqual([]);
  });

  it('a digest says nothing of the length of its key', () => {
    expect(paths(MANAGED.replace('gateway-key-of-acme', `sha256:${sha256Hex('x')}`))).toEqual([]);
  });
});

describe('digests in Redis', () => {
  const SHARED = 'state: "redis://localhost:6379"\n';
  const WITH_OWN_KEY = `${SHARED}upstreams: [{ id: main, baseUrl: "https://api.anthropic.com", apiKey: sk-of-ours }]\ntenants: [{ id: acme, keys: [gateway-key-of-acme] }]`; // prettier-ignore

  it('have no secret where every caller brings a key of his own, which is worth a notice', () => {
    expect(notices(SHARED)).toMatchObject([{ path: 'state', mend: expect.stringContaining('SLIPSTREAM_STATE_KEY') }]);
    expect(notices(SHARED, { SLIPSTREAM_STATE_KEY: '' })).toHaveLength(1);
  });

  it('have one by SLIPSTREAM_STATE_KEY, or by the key of an upstream', () => {
    expect(notices(SHARED, { SLIPSTREAM_STATE_KEY: 'a secret' })).toEqual([]);
    expect(notices(WITH_OWN_KEY)).toEqual([]);
  });
});
