import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, within } from '../support/eventually.ts';
import { ACME_KEY, STREAM_BODY, UPSTREAM_KEY } from '../support/gateway-under-test.ts';
import { hasRedisServer, startRedisServer, type RedisServer } from '../support/redis-server.ts';
import { startScriptedUpstream, type ScriptedUpstream, type UpstreamCall } from '../support/scripted-upstream.ts';
import { knowEachOther } from './engines-under-test.ts';

const LIMIT = 12;
const LEASE_MS = 4_000;
const DEADLINE_MS = 20_000;
/** Two processes that read the whole program, beside whatever else the machine does. */
const START_DEADLINE_MS = 60_000;
const CALLERS = 16;

interface Replica {
  readonly port: number;
  readonly process: ChildProcess;
}

/** Two gateways as two processes, one Redis, one upstream that counts what is on its way to it. */
describe.runIf(hasRedisServer)('of two replicas at full load', { timeout: 4 * DEADLINE_MS }, () => {
  let redis: RedisServer;
  let upstream: ScriptedUpstream;
  let inUse = 0;
  let peak = 0;
  let over = new AbortController();
  let callers: Promise<void>[] = [];
  const replicas: Replica[] = [];
  const answers = new Map<number, number>();

  beforeEach(
    async () => {
      [inUse, peak, over, callers] = [0, 0, new AbortController(), []];
      redis = await startRedisServer();
      upstream = await startScriptedUpstream();
      upstream.script = (call) => void answer(call);
      replicas.push(...(await Promise.all([startReplica(), startReplica()])));
      callers = replicas.flatMap(({ port }) => Array.from({ length: CALLERS }, () => ask(port)));
      await eventually('both are at work', DEADLINE_MS, () =>
        replicas.every(({ port }) => (answers.get(port) ?? 0) > 20),
      );
      await knowEachOther(redis, replicas.length);
      peak = 0;
    },
    START_DEADLINE_MS + 2 * DEADLINE_MS,
  );
  afterEach(async () => {
    over.abort();
    await Promise.all(callers);
    for (const replica of replicas.splice(0)) await end(replica, 'SIGKILL');
    await upstream.close();
    await redis.close();
  });

  /** What runs at the upstream is a call that has come and is neither answered nor closed by the gateway. */
  const answer = async (call: UpstreamCall): Promise<void> => {
    peak = Math.max(peak, ++inUse);
    const endsAtMs = performance.now() + 60 + 80 * Math.random();
    await eventually('the call ends', DEADLINE_MS, () => performance.now() > endsAtMs || call.state === 'closed');
    inUse--;
    if (call.state !== 'closed') call.answer(200, { type: 'message', usage: { input_tokens: 1, output_tokens: 1 } });
  };

  const startReplica = async (): Promise<Replica> => {
    const settings = `
upstreams: [{ id: main, baseUrl: "${upstream.url}", apiKey: ${UPSTREAM_KEY} }]
tenants: [{ id: acme, keys: [${ACME_KEY}], maxConcurrency: ${LIMIT}, queue: { max: 100, timeout: 20s } }]
cache: { singleFlight: false }
limits: { retries: 0 }
`;
    const program = new URL('replica-process.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [program, redis.url, settings, `${LEASE_MS}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    await eventually('the replica listens', START_DEADLINE_MS, () => text.includes('\n'));
    return { process: child, port: Number(/port (\d+)/.exec(text)?.[1]) };
  };

  /** Asks until it is over, or until the replica is gone. */
  const ask = async (port: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = { 'x-api-key': ACME_KEY, 'content-type': 'application/json' };
    const once = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/v1/messages', headers });
        sent.on('error', reject).on('response', (reply) => {
          reply
            .resume()
            .on('end', () => resolve(reply.statusCode ?? 0))
            .on('error', reject);
        });
        sent.end(STREAM_BODY);
      });
    try {
      while (!over.signal.aborted) {
        const status = await once();
        if (status !== 200) throw new Error(`status ${status}`);
        answers.set(port, (answers.get(port) ?? 0) + 1);
      }
    } catch (error) {
      failures.push(`${port}: ${String(error)}`);
    } finally {
      agent.destroy();
    }
  };
  const failures: string[] = [];

  const end = async ({ process: child }: Replica, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await within(`a process ends by ${signal}`, DEADLINE_MS, gone);
  };

  it('one is killed: the other has its slots within a lease, and the limit is passed by the dead requests at most', async () => {
    const [one, other] = replicas as [Replica, Replica];
    await eventually('every slot is used', DEADLINE_MS, () => peak >= LIMIT);
    expect(peak).toBe(LIMIT);
    const inFlight = inUse;
    await end(one, 'SIGKILL');
    peak = 0;
    const held = `slipstream:{t:acme}:leases`;
    const holders = async (): Promise<Set<string>> =>
      new Set((await redis.redis.zrange(held, '0', '-1')).map((id) => id.replace(/:.*/, '')));
    await eventually('the dead one holds no slot', DEADLINE_MS, async () => (await holders()).size === 1);
    expect(peak).toBeLessThanOrEqual(LIMIT + inFlight);
    peak = 0;
    await eventually('the living one uses every slot', DEADLINE_MS, () => peak >= LIMIT);
    const before = answers.get(other.port) ?? 0;
    await eventually('it serves on', DEADLINE_MS, () => (answers.get(other.port) ?? 0) > before + 60);
    expect(peak).toBe(LIMIT);
    expect(failures.filter((failure) => failure.startsWith(`${other.port}`))).toEqual([]);
  });

  it('one ends well, by itself: nothing keeps its process alive', async () => {
    over.abort();
    await Promise.all(callers);
    await end(replicas[0] as Replica, 'SIGTERM');
    expect(replicas[0]?.process.exitCode).toBe(0);
  });

  it('Redis is killed and comes back empty: no request fails, and the limit holds again', async () => {
    failures.length = 0;
    await redis.kill();
    const total = (): number => [...answers.values()].reduce((sum, count) => sum + count, 0);
    const more = (count: number): Promise<void> => {
      const from = total();
      return eventually(`${count} more are answered`, DEADLINE_MS, () => total() > from + count);
    };
    await more(60); // what ran at that moment has ended
    peak = 0;
    await more(100);
    expect(peak).toBeLessThanOrEqual(LIMIT);
    await redis.start();
    await more(200);
    await eventually('every slot is used', DEADLINE_MS, () => peak >= LIMIT);
    expect(peak).toBe(LIMIT);
    await eventually('every slot is registered', DEADLINE_MS, async () => {
      return (await redis.redis.zcard('slipstream:{t:acme}:leases').catch(() => 0)) > 0;
    });
    expect(failures).toEqual([]);
  });
});
