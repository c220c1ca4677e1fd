import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse-config.ts';
import { createAdaptiveLimit } from '../../src/core/limits/adaptive-limit.ts';
import { serveSimulator } from '../../src/node/demo/serve-simulator.ts';
import { createGateway, sha256Hex } from '../../src/node/gateway.ts';
import { serveApp } from '../../src/node/serve.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { createRedisEngine } from '../../src/redis/redis-engine.ts';
import { SLOW_MS } from '../../src/redis/connection/redis-health.ts';
import { DEFAULT_TIMING } from '../../src/simulator/settings.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { StateEngine } from '../../src/state/engine.ts';
import { createMemoryEngine } from '../../src/state/memory-engine.ts';
import { ask, textOf, user } from '../support/cache-bodies.ts';
import { within } from '../support/eventually.ts';
import { managed, UPSTREAM_KEY } from '../support/gateway-under-test.ts';
import { postMessages, type MessagesAnswer } from '../support/messages-client.ts';
import { hasRedisServer } from '../support/redis-server.ts';
import { PATIENT_MS, useReplicas } from './flights-under-test.ts';

/**
 * The promise across replicas, by the simulator's bill: gateways that share nothing but flights in Redis, each with a
 * planner that learns for itself, in front of one Claude.
 */
const PREFIX_TOKENS = 10_000;
const SYSTEM = textOf('A manual that all of them ask about.', PREFIX_TOKENS);
/** 32 calls of 40 KB take a second of a processor of one's own. */
const DEADLINE_MS = 60_000;
/** A fifth of the usual pace, so that on a busy machine, too, nobody's patience ends before the prefix can be read. */
const TIMING = { ...DEFAULT_TIMING, firstTokenBaseMs: 100, perUncachedInputTokenUs: 10, jitter: 0 };

describe.skipIf(!hasRedisServer)('replicas that share their flights', { timeout: 2 * DEADLINE_MS }, () => {
  const replicas = useReplicas();
  const cleanUps: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    replicas.server.resume();
    for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  });

  async function startClaude() {
    const workspaces = { [UPSTREAM_KEY]: 'wrkspc_01OfTheGateways' };
    const simulator = createSimulator({ clock: systemClock, workspaces, timing: TIMING });
    const { baseUrl, close } = await serveSimulator((request) => simulator.fetch(request), 0);
    cleanUps.push(close);
    const usages = () => simulator.observations.list.flatMap(({ usage }) => usage ?? []);
    return {
      baseUrl,
      calls: () => simulator.observations.list.length,
      writes: () => usages().filter((one) => one.write5mTokens + one.write1hTokens >= PREFIX_TOKENS).length,
      reads: () => usages().filter((one) => one.readTokens >= PREFIX_TOKENS).length,
    };
  }

  /** All that a replica shares, or flights and nothing else, so that nothing else can be the reason. */
  async function startEngine(shares: 'all' | 'flights', slowMs: number): Promise<StateEngine> {
    if (shares === 'flights') {
      const { families } = await replicas.start({ slowMs });
      return { ...createMemoryEngine(systemClock, createAdaptiveLimit), flights: families };
    }
    const { url } = replicas.server;
    const engine = createRedisEngine({
      url,
      clock: systemClock,
      hmacKey: 'key',
      createLimit: createAdaptiveLimit,
      slowMs,
    });
    await within('the engine starts', DEADLINE_MS, engine.started);
    return engine;
  }

  async function startGateway(upstreamUrl: string, shares: 'all' | 'flights' = 'flights', slowMs = PATIENT_MS) {
    const engine = await startEngine(shares, slowMs);
    const parsed = parseConfig(managed('maxConcurrency: 64')(upstreamUrl), {}, { sha256Hex });
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
    const { config, secrets } = parsed;
    const errors: unknown[] = [];
    const onInternalError = (error: unknown): void => void errors.push(error);
    const gateway = createGateway({ config, secrets, clock: systemClock, engine, onRecord: () => {}, onInternalError });
    const { headersTimeoutMs, bodyBytes } = config.limits;
    const server = await serveApp(gateway.app, { host: '127.0.0.1', port: 0, headersTimeoutMs, bodyBytes });
    cleanUps.push(async () => {
      await server.close(DEADLINE_MS);
      await gateway.close();
      expect(errors).toEqual([]);
    });
    return `http://127.0.0.1:${server.port}`;
  }

  /** So many at once over all of these gateways, in turn. */
  const crowd = (count: number, gateways: readonly string[]): Promise<MessagesAnswer[]> => {
    const asking = Array.from({ length: count }, (_, at) => {
      const body = ask({ system: SYSTEM, messages: [user(`Question ${at}?`)], stream: true });
      return postMessages(gateways[at % gateways.length] ?? '', body, {
        headers: { 'x-simulator-output-tokens': '5' },
      });
    });
    return within('all are answered', DEADLINE_MS, Promise.all(asking));
  };

  it.each(['flights', 'all'] as const)(
    'pay for one write of 32 cold requests over two of them (%s)',
    async (shares) => {
      const claude = await startClaude();
      const gateways = [await startGateway(claude.baseUrl, shares), await startGateway(claude.baseUrl, shares)];
      const answers = await crowd(32, gateways);
      expect(answers.map(({ status }) => status)).toEqual(Array(32).fill(200));
      expect([claude.calls(), claude.writes(), claude.reads()]).toEqual([32, 1, 31]);
    },
  );

  it('pay for no write on one that comes later, and let nobody wait there', async () => {
    const claude = await startClaude();
    await crowd(1, [await startGateway(claude.baseUrl)]);
    const answers = await crowd(8, [await startGateway(claude.baseUrl)]);
    expect([claude.writes(), claude.reads()]).toEqual([1, 8]);
    for (const { headers, cache } of answers) {
      expect(cache).toMatch(/^hit/);
      expect(headers.get('server-timing')).toMatch(/hold;dur=0\.0/);
    }
  });

  it('answer all 32 while Redis is silent, at the price of one write on each replica', async () => {
    const claude = await startClaude();
    const gateways = [
      await startGateway(claude.baseUrl, 'flights', SLOW_MS),
      await startGateway(claude.baseUrl, 'flights', SLOW_MS),
    ];
    replicas.server.pause();
    const answers = await crowd(32, gateways);
    expect(answers.map(({ status }) => status)).toEqual(Array(32).fill(200));
    expect([claude.calls(), claude.writes()]).toEqual([32, 2]);
  });
});
