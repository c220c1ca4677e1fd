import { describe, expect, it } from 'vitest';
import { defaultConfig, parseConfig } from '../../src/config/parse-config.ts';
import { accept, MANAGED, parse, refuse, sha256Hex, tenantWith } from './parsing.ts';

/** The example of the outside contract, with its flow mapping around a reference. */
const CONTRACT = `
listen: { host: 127.0.0.1, port: 8787 }          # HOST, PORT override
upstreams:
  - id: main
    protocol: anthropic                            # anthropic | openai
    baseUrl: https://api.anthropic.com
    apiKey: \${ANTHROPIC_API_KEY}                   # left out: the caller's credential is forwarded
    cacheDomain: workspace-main
    maxConcurrency: 256
tenants:
  - id: acme
    keys: ["\${ACME_KEY}"]
    maxConcurrency: 16
    queue: { max: 256, timeout: 30s }
    weight: 1
    cache: auto
    upstreams: [main]
    budget: { usd: 50, per: day }
cache: { singleFlight: true, maxHold: 5s, ttl: auto, minReuse: auto }
state: memory
console: { enabled: true, token: \${CONSOLE_TOKEN} }
metrics: { token: \${METRICS_TOKEN} }
limits: { bodyBytes: 32MiB, headersTimeout: 10s, streamIdle: 300s, drain: 30s }
`;
const CONTRACT_ENVIRONMENT = {
  ANTHROPIC_API_KEY: 'the-upstream-key',
  ACME_KEY: 'the-gateway-key-of-acme',
  CONSOLE_TOKEN: 'the-console-token',
  METRICS_TOKEN: 'the-metrics-token',
};

describe('defaults', () => {
  it('without a file the gateway passes through to Anthropic on loopback', () => {
    const result = defaultConfig({});
    expect(result).toMatchObject({ kind: 'ok', notices: [] });
    if (result.kind !== 'ok') return;
    expect(result.config).toEqual({
      listen: { host: '127.0.0.1', port: 8787 },
      publicUrl: null,
      mode: 'pass-through',
      upstreams: [
        {
          id: 'main',
          protocol: 'anthropic',
          baseUrl: 'https://api.anthropic.com',
          credential: 'caller',
          cacheDomain: 'main',
          stripsAttribution: true,
          maxConcurrency: 10_000,
        },
      ],
      tenants: [],
      cache: { singleFlight: true, maxHoldMs: 5000, ttl: 'auto', prolong: 'learn', minReuse: 'auto' },
      state: { kind: 'memory' },
      console: { enabled: false },
      limits: {
        bodyBytes: 33_554_432,
        headersTimeoutMs: 10_000,
        streamIdleMs: 300_000,
        drainMs: 30_000,
        drainNoticeMs: 0,
        retries: 4,
        hangUpDrainMs: 60_000,
      },
    });
    expect(result.secrets).toEqual({ upstreamKeys: new Map(), consoleToken: null, metricsToken: null, stateUrl: null });
  });

  it.each(['', '\n\n', '# only a comment\n', '---\n', '{}'])('%j is as good as no file', (text) => {
    expect(parse(text)).toEqual(defaultConfig({}));
  });

  it('a default upstream written with its id alone equals the one without a file', () => {
    expect(accept('upstreams: [{ id: main }]').config).toEqual(accept('').config);
  });

  it('a tenant that names only its id and keys gets every upstream and no budget', () => {
    expect(accept(MANAGED).config.tenants).toEqual([
      {
        id: 'acme',
        keyDigests: [sha256Hex('gateway-key-of-acme')],
        maxConcurrency: 16,
        queue: { max: 256, timeoutMs: 30_000 },
        weight: 1,
        cache: 'auto',
        hangUp: 'cancel',
        recover: 'off',
        upstreams: ['main'],
        budget: null,
      },
    ]);
  });
});

describe('the example of the contract', () => {
  it('is accepted, and is managed', () => {
    const { config } = accept(CONTRACT, CONTRACT_ENVIRONMENT);
    expect(config.mode).toBe('managed');
    expect(config.console).toEqual({ enabled: true });
    expect(config.tenants[0]).toMatchObject({ upstreams: ['main'], budget: { usd: 50, per: 'day' } });
  });

  it('has its credentials in the secrets', () => {
    const { secrets } = accept(CONTRACT, CONTRACT_ENVIRONMENT);
    expect(secrets.upstreamKeys.get('main')).toBe('the-upstream-key');
    expect(secrets.consoleToken).toBe('the-console-token');
    expect(secrets.metricsToken).toBe('the-metrics-token');
  });

  it('leaves no credential in the config, which can therefore be logged', () => {
    const { config, notices } = accept(CONTRACT, CONTRACT_ENVIRONMENT);
    const logged = JSON.stringify({ config, notices });
    for (const secret of Object.values(CONTRACT_ENVIRONMENT)) expect(logged).not.toContain(secret);
  });
});

describe('values', () => {
  it('the config is frozen all the way down', () => {
    const { config, secrets } = accept(CONTRACT, CONTRACT_ENVIRONMENT);
    const unfrozen: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) unfrozen.push(path);
      for (const [key, child] of Object.entries(value)) walk(child, `${path}.${key}`);
    };
    walk(config, 'config');
    expect(unfrozen).toEqual([]);
    expect(Object.isFrozen(secrets)).toBe(true);
  });

  it('a key given as a digest is taken as it is, in lower case', () => {
    const digest = sha256Hex('a key that the file does not hold');
    const text = MANAGED.replace('gateway-key-of-acme', `"sha256:${digest.toUpperCase()}"`);
    expect(accept(text).config.tenants[0]?.keyDigests).toEqual([digest]);
  });

  it('an upstream without apiKey forwards the credential of the caller', () => {
    const { config, secrets } = accept('upstreams: [{ id: a }, { id: b, apiKey: some-upstream-key }]');
    expect(config.upstreams.map(({ credential }) => credential)).toEqual(['caller', 'own']);
    expect([...secrets.upstreamKeys.keys()]).toEqual(['b']);
  });

  it('a tenant chooses what becomes of an answer nobody reads and of a stream that breaks', () => {
    const [tenant] = accept(tenantWith('hangUp: drain', 'recover: continue')).config.tenants;
    expect([tenant?.hangUp, tenant?.recover]).toEqual(['drain', 'continue']);
  });

  it('the two waits that belong to going away are durations, and may be nothing', () => {
    const limits = (text: string) => accept(`limits: { ${text} }`).config.limits;
    expect(limits('drainNotice: 5s, hangUpDrain: 2m')).toMatchObject({ drainNoticeMs: 5_000, hangUpDrainMs: 120_000 });
    expect(limits('drainNotice: 0s, hangUpDrain: 0s')).toMatchObject({ drainNoticeMs: 0, hangUpDrainMs: 0 });
  });

  it('what is not documented of the cache is a choice: prolonging yes, no or learned, attribution stripped or not', () => {
    const prolongs = ['yes', 'no', 'learn'].map((word) => accept(`cache: { prolong: ${word} }`).config.cache.prolong);
    expect(prolongs).toEqual(['yes', 'no', 'learn']);
    const { upstreams } = accept('upstreams: [{ id: a, stripsAttribution: false }, { id: b }]').config;
    expect(upstreams.map(({ stripsAttribution }) => stripsAttribution)).toEqual([false, true]);
  });

  it('the base URL loses the slash at its end and keeps a path', () => {
    const text =
      'upstreams: [{ id: a, baseUrl: "http://127.0.0.1:9/" }, { id: b, baseUrl: "https://proxy.test/claude//" }]';
    const urls = accept(text).config.upstreams.map(({ baseUrl }) => baseUrl);
    expect(urls).toEqual(['http://127.0.0.1:9', 'https://proxy.test/claude']);
  });

  it('tenants can share a block by anchor and merge key', () => {
    const text = `upstreams: [{ id: main, apiKey: upstream-key-of-main }]
tenants:
  - &team { id: one, keys: [gateway-key-number-one], maxConcurrency: 3 }
  - { <<: *team, id: two, keys: [gateway-key-number-two] }
`;
    expect(accept(text).config.tenants.map(({ id, maxConcurrency }) => [id, maxConcurrency])).toEqual([
      ['one', 3],
      ['two', 3],
    ]);
  });

  it('zero upstream keys and zero waiting places are allowed where they mean something', () => {
    const text = tenantWith('queue: { max: 0 }') + 'listen: { port: 0 }\nlimits: { drain: 0s }\n';
    const { config } = accept(text);
    expect([config.tenants[0]?.queue.max, config.listen.port, config.limits.drainMs]).toEqual([0, 0, 0]);
  });
});

describe('HOST and PORT', () => {
  it('of the environment win over the file', () => {
    const { config } = accept('listen: { host: 127.0.0.1, port: 1 }', { HOST: 'localhost', PORT: '9000' });
    expect(config.listen).toEqual({ host: 'localhost', port: 9000 });
  });

  it('set to nothing do not count', () => {
    expect(accept('', { HOST: '', PORT: '' }).config.listen).toEqual({ host: '127.0.0.1', port: 8787 });
  });

  it.each(['abc', '70000', '-1', '80.5'])('PORT=%s is a problem of listen.port without a line', (PORT) => {
    const [problem, ...others] = refuse('listen: { port: 1 }', { PORT });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ path: 'listen.port', mend: expect.stringContaining('unset PORT') });
    expect(problem).not.toHaveProperty('line');
  });

  it('hold for a gateway without a file as well', () => {
    expect(defaultConfig({ PORT: '9001' })).toMatchObject({ kind: 'ok', config: { listen: { port: 9001 } } });
    expect(defaultConfig({ PORT: 'x' })).toMatchObject({ kind: 'invalid' });
  });
});

it('a digest is asked for with the platform that was passed in', () => {
  const result = parseConfig(MANAGED, {}, { sha256Hex: (text) => `digest of ${text}` });
  expect(result).toMatchObject({
    kind: 'ok',
    config: { tenants: [{ keyDigests: ['digest of gateway-key-of-acme'] }] },
  });
});

describe('state', () => {
  it.each([
    'redis://localhost:6379',
    'rediss://user:secret@redis.example.com:6380/3',
    'redis+cluster://one:6379',
    'rediss+cluster://user:secret@one:6379,[::1]:6380/0',
  ])('in Redis at %s keeps the URL among the secrets', (url) => {
    const result = accept(`state: "${url}"`);
    expect(result.secrets.stateUrl).toBe(url);
    expect(result.config.state).toEqual({ kind: 'redis', urlDigest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(JSON.stringify(result.config)).not.toContain('secret@');
  });
});
