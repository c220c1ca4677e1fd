import { beforeEach, describe, expect, it } from 'vitest';
import type { GatewayRequest, Outcome } from '../../src/core/exchange.ts';
import { createTenantLabels } from '../../src/metrics/labels.ts';
import type { Context, Service } from '../../src/pipeline/service.ts';
import { withPromptCache, type PromptCacheOptions } from '../../src/pipeline/with-prompt-cache.ts';
import { createPromptMemory } from '../../src/prompt/prompt-memory.ts';
import { scanRequest } from '../../src/prompt/scan/scan.ts';
import { inOnePlace } from '../../src/state/flights.ts';
import { createMemoryFlights } from '../../src/state/memory-flights.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { ask, textOf } from '../support/cache-bodies.ts';
import { answeredOf, contextOf, createRecordedMetrics, createScriptedUpstream, heldOf, requestOf, tenantOf, usageOf, type RecordedMetrics } from './scripted.ts'; // prettier-ignore

/** The layer alone, around an inner service that a test plays. */
let clock: FakeClock;
let metrics: RecordedMetrics;
let errors: { error: unknown; requestId: string }[];
let options: PromptCacheOptions;
beforeEach(() => {
  clock = createFakeClock();
  metrics = createRecordedMetrics();
  errors = [];
  options = {
    clock,
    metrics,
    tenantLabels: createTenantLabels(),
    ...createPromptMemory(),
    flights: inOnePlace(createMemoryFlights(clock)),
    cacheSettings: () => ({ ttl: 'auto', prolong: false, singleFlight: true, maxHoldMs: 5_000 }),
    onInternalError: (error, requestId) => errors.push({ error, requestId }),
  };
});

const BYTES = new TextEncoder().encode(JSON.stringify(ask({ system: textOf('Be kind.', 3_000) })));

function request(): GatewayRequest {
  const scan = scanRequest(BYTES);
  if (scan.kind !== 'scanned') throw new Error(scan.code);
  return requestOf({ body: BYTES, model: scan.model, prompt: scan.prompt });
}

function context(): Context {
  const upstream = createScriptedUpstream();
  const routed = { upstream, credential: 'own', cacheDomain: 'main', stripsAttribution: true } as const;
  return { ...contextOf(clock, tenantOf({ cache: 'auto' })), routed };
}

interface Passed {
  readonly bodies: Uint8Array[];
  readonly headers: string[];
  readonly outcomes: Outcome[];
}

/** Sends so many, each answered with content and this usage. */
async function send(count: number, usage = usageOf({ cacheWrite5m: 3_100 })): Promise<Passed> {
  const passed: Passed = { bodies: [], headers: [], outcomes: [] };
  const inner: Service = async ({ body }, { watch }) => {
    passed.bodies.push(body as Uint8Array);
    watch.onContent(usage);
    passed.headers.push(watch.cacheHeader(usage));
    return answeredOf({ usage });
  };
  const service = withPromptCache(options)(inner);
  for (let at = 0; at < count; at++) passed.outcomes.push(await service(request(), context()));
  return passed;
}

const FOLLOW = { kind: 'follow', prefix: 'of another' } as const;

const broken = (): never => {
  throw new Error('a bug');
};

describe('a bug in the advice', () => {
  it.each<[string, (healthy: PromptCacheOptions) => Partial<PromptCacheOptions>]>([
    ['reading the target', () => ({ scale: { tokensPerByte: broken, learn: () => {} } })],
    ['planning', ({ index }) => ({ index: { ...index, positions: null as never } })],
    ['joining a flight', () => ({ flights: inOnePlace({ join: broken, follow: broken }) })],
    ['waiting', () => ({ flights: inOnePlace({ join: async () => FOLLOW, follow: broken }) })],
  ])('while %s sends the caller’s bytes on as they are, and the operator is told', async (_when, damage) => {
    options = { ...options, ...damage(options) };
    const { bodies, headers, outcomes } = await send(2);
    expect(bodies).toEqual([BYTES, BYTES]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['answered', 'answered']);
    expect(headers[0]).toBe('miss; reason=unreadable');
    expect(errors.map(({ requestId }) => requestId)).toEqual(['slip_1', 'slip_1']);
  });

  it.each<[string, (healthy: PromptCacheOptions) => Partial<PromptCacheOptions>]>([
    ['noting what is known', ({ kinship }) => ({ kinship: { ...kinship, elsewhere: broken } })],
    ['watching for volatile blocks', ({ volatile }) => ({ volatile: { ...volatile, record: broken } })],
    ['telling its prefixes', ({ prefixes }) => ({ prefixes: { ...prefixes, note: broken } })],
    ['learning from the answer', ({ scale }) => ({ scale: { ...scale, learn: broken } })],
  ])('while %s does not touch the answer', async (_when, damage) => {
    options = { ...options, ...damage(options) };
    const { outcomes } = await send(2);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['answered', 'answered']);
    expect(errors.length).toBeGreaterThan(0);
  });
});

describe('the flight that a request leads', () => {
  it.each<[string, Service]>([
    ['is refused inside', async () => ({ kind: 'refused', refusal: { code: 'upstream_unreachable' } })],
    ['is abandoned', async () => ({ kind: 'abandoned' })],
    ['ends without content', async () => answeredOf({ end: 'truncated', usage: null })],
    ['throws', async () => broken()],
    [
      'is answered without a word of content, and whole',
      async () => answeredOf({ usage: usageOf({ cacheWrite5m: 9 }) }),
    ],
  ])('is over when it %s: the next one leads, and waits for nobody', async (_how, inner) => {
    const service = withPromptCache(options)(inner);
    await service(request(), context()).catch(() => null);
    await service(request(), context()).catch(() => null);
    const led = Object.entries(metrics.values).filter(([name]) => name.includes('role="follower"'));
    expect(led).toEqual([]);
    expect([errors, clock.pending]).toEqual([[], 0]);
  });
});

it('what an answer read and wrote, its prompt’s prefixes are told', async () => {
  await send(2, usageOf({ cacheRead: 100, cacheWrite5m: 3_000 }));
  const { prefixes, elsewhere } = options.prefixes.read(clock.nowMs());
  const [system, ...others] = [...prefixes];
  expect([system?.place, system?.requests, others.length]).toEqual(['system', 2, 0]);
  expect((system?.writeTokens ?? 0) + elsewhere.writeTokens).toBe(6_000);
});

it('what the request led, and what was added, is left as its story', async () => {
  const told = context();
  await withPromptCache(options)(async (_request, { watch }) => {
    const usage = usageOf({ cacheWrite1h: 3_000, cacheWrite5m: 10 });
    watch.onContent(usage);
    return answeredOf({ usage });
  })(request(), told);
  expect(told.notes.cache).toMatchObject({ result: 'miss', reason: 'first_seen', flight: 'leader' });
  expect(told.notes.cache?.added.map(({ place }) => place)).toContain('system');
});

describe('what the layers within are told', () => {
  const LONG_PAUSE_MS = 3_600_000;

  it('is how many tokens are expected to be charged in full: all of a prompt at first, next to nothing of one that is read', async () => {
    const expected: (number | null)[] = [];
    const service = withPromptCache(options)(async (_request, { watch, expectedInputTokens }) => {
      expected.push(expectedInputTokens);
      const usage = expected.length === 1 ? usageOf({ cacheWrite5m: 3_100 }) : usageOf({ cacheRead: 3_100 });
      watch.onContent(usage);
      return answeredOf({ usage });
    });
    for (let at = 0; at < 2; at++) await service(request(), context());
    const [first, second] = expected;
    expect(first).toBeGreaterThan(1_500);
    expect(second).toBeLessThan((first ?? 0) / 20);
  });

  it('is nothing of the kind where no plan was made', async () => {
    const without = { ...context(), tenant: tenantOf({ cache: 'off' }) };
    let expected: number | null = 0;
    await withPromptCache(options)(async (_request, { expectedInputTokens }) => {
      expected = expectedInputTokens;
      return answeredOf();
    })(request(), without);
    expect(expected).toBeNull();
  });

  it('lets followers’ patience begin when the leader goes out, not when it began to wait for capacity', async () => {
    const gate = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    let isLeader = true;
    const service = withPromptCache(options)(async (_request, { watch }) => {
      if (!isLeader) return answeredOf();
      isLeader = false;
      await gate.promise;
      watch.onSend();
      await answered.promise;
      watch.onContent(usageOf({ cacheWrite5m: 3_100 }));
      return answeredOf({ usage: usageOf({ cacheWrite5m: 3_100 }) });
    });
    const leader = service(request(), context());
    await clock.advance(4_000);
    const follower = { ...context() };
    gate.resolve();
    await clock.advance(0);
    const following = service(request(), follower);
    await clock.advance(100);
    answered.resolve();
    await Promise.all([leader, following]);
    expect(follower.timings.holdMs).toBe(100);
    const followed = Object.keys(metrics.values).filter((series) => series.includes('role="follower"'));
    expect(followed).toEqual(['slipstream_single_flight_total{role="follower",outcome="landed"}']);
    await clock.advance(LONG_PAUSE_MS);
    expect(clock.pending).toBe(0);
  });
});

describe('a 400 that speaks of our markers', () => {
  const refused = (text: string, send: () => void = () => {}): Outcome => ({
    ...(heldOf(400, null, send) as Extract<Outcome, { kind: 'held' }>),
    body: new TextEncoder().encode(text),
  });

  it('is asked again with the caller’s bytes, counted as such, and the caller sees the second answer', async () => {
    const bodies: unknown[] = [];
    const outcome = await withPromptCache(options)(async ({ body }, { watch }) => {
      watch.onSend();
      bodies.push(body);
      return bodies.length === 1 ? refused('messages.0.cache_control: no') : answeredOf();
    })(request(), context());
    expect(outcome).toEqual(answeredOf());
    expect([bodies[0] === BYTES, bodies[1] === BYTES]).toEqual([false, true]);
    expect(metrics.values['slipstream_retries_total{upstream="main",reason="cache_control"}']).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('is not sent by this layer: a second one is handed on unsent', async () => {
    let sends = 0;
    const outcome = await withPromptCache(options)(async () => refused('cache_control', () => sends++))(
      request(),
      context(),
    );
    expect([outcome.kind, sends]).toEqual(['held', 0]);
  });

  it.each([
    ['speaks of something else', 400, 'messages: roles must alternate'],
    ['is no 400', 529, 'cache_control'],
  ])('is none where it %s', async (_what, status, text) => {
    let calls = 0;
    const held = { ...refused(text), status } as Outcome;
    const outcome = await withPromptCache(options)(async () => (calls++, held))(request(), context());
    expect([outcome, calls]).toEqual([held, 1]);
  });
});
