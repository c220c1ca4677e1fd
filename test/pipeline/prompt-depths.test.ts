import { beforeEach, describe, expect, it } from 'vitest';
import type { GatewayRequest } from '../../src/core/exchange.ts';
import { createTenantLabels } from '../../src/metrics/labels.ts';
import type { CacheSettings } from '../../src/pipeline/cache/cache-target.ts';
import { promptDepths } from '../../src/pipeline/cache/prompt-depths.ts';
import type { RoutedUpstream } from '../../src/pipeline/upstream.ts';
import { withPromptCache } from '../../src/pipeline/with-prompt-cache.ts';
import { createPromptMemory, type PromptMemory } from '../../src/prompt/prompt-memory.ts';
import { scanRequest } from '../../src/prompt/scan/scan.ts';
import { inOnePlace } from '../../src/state/flights.ts';
import { createMemoryFlights } from '../../src/state/memory-flights.ts';
import { ask, textOf } from '../support/cache-bodies.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { answeredOf, contextOf, createRecordedMetrics, createScriptedUpstream, requestOf, tenantOf, usageOf } from './scripted.ts'; // prettier-ignore

const FIVE_MINUTES_MS = 300_000;
const SETTINGS: CacheSettings = { ttl: '5m', prolong: false, singleFlight: true, maxHoldMs: 5_000 };

let clock: FakeClock;
let memory: PromptMemory;
beforeEach(() => {
  clock = createFakeClock();
  memory = createPromptMemory();
});

function requestWith(system: string): GatewayRequest {
  const body = new TextEncoder().encode(JSON.stringify(ask({ system: textOf(system, 3_000) })));
  const scan = scanRequest(body);
  if (scan.kind !== 'scanned') throw new Error(scan.code);
  return requestOf({ body, model: scan.model, prompt: scan.prompt });
}

const domain = (cacheDomain: string): RoutedUpstream => ({
  upstream: createScriptedUpstream(cacheDomain),
  credential: 'own',
  cacheDomain,
  stripsAttribution: true,
});

function depthsIn(cacheDomain: string, request: GatewayRequest, cache: 'auto' | 'off' = 'auto') {
  const read = promptDepths({ clock, ...memory, cacheSettings: () => SETTINGS });
  return read(request, contextOf(clock, tenantOf({ cache })), domain(cacheDomain));
}

/** One request goes through the prompt cache in a domain and writes its system prompt there. */
async function run(cacheDomain: string, request: GatewayRequest): Promise<void> {
  const usage = usageOf({ cacheWrite5m: 3_100 });
  const service = withPromptCache({
    clock,
    metrics: createRecordedMetrics(),
    tenantLabels: createTenantLabels(),
    ...memory,
    flights: inOnePlace(createMemoryFlights(clock)),
    cacheSettings: () => SETTINGS,
    onInternalError: (error) => expect(error).toBeNull(),
  })(async (_request, { watch }) => (watch.onContent(usage), answeredOf({ usage })));
  await service(request, { ...contextOf(clock, tenantOf({ cache: 'auto' })), routed: domain(cacheDomain) });
}

const NOTHING = { liveDepth: 0, seenDepth: 0 };

describe('how much of a prompt a domain knows', () => {
  it('is what ran there, and what of it can be read', async () => {
    await run('one', requestWith('Be kind.'));
    const depths = depthsIn('one', requestWith('Be kind.'));
    expect(depths.liveDepth).toBeGreaterThan(0);
    expect(depths.seenDepth).toBeGreaterThanOrEqual(depths.liveDepth);
  });

  it('is nothing where another prompt ran, or where it ran elsewhere', async () => {
    await run('one', requestWith('Be kind.'));
    expect(depthsIn('one', requestWith('Be quick.'))).toMatchObject(NOTHING);
    expect(depthsIn('two', requestWith('Be kind.'))).toMatchObject(NOTHING);
  });

  it('is remembered when it can no longer be read', async () => {
    await run('one', requestWith('Be kind.'));
    await clock.advance(FIVE_MINUTES_MS + 1_000);
    const { liveDepth, seenDepth } = depthsIn('one', requestWith('Be kind.'));
    expect([liveDepth, seenDepth > 0]).toEqual([0, true]);
  });

  it('is not changed by asking', async () => {
    const before = depthsIn('one', requestWith('Be kind.'));
    expect(before).toMatchObject(NOTHING);
    expect(depthsIn('one', requestWith('Be kind.'))).toMatchObject(NOTHING);
  });

  it('is unknown for a body that was not read, and for a tenant without a cache', async () => {
    await run('one', requestWith('Be kind.'));
    expect(depthsIn('one', requestOf())).toMatchObject(NOTHING);
    expect(depthsIn('one', requestWith('Be kind.'), 'off')).toMatchObject(NOTHING);
  });
});
