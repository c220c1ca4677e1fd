import { serveSimulator } from '../../src/node/demo/serve-simulator.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { ask, assistant, block, textOf, user } from '../support/cache-bodies.ts';
import { startGateway } from '../support/gateway-on-node.ts';

/**
 * A gateway in front of the simulator with a little of everything: hits and misses of many reasons, tenants that wait and
 * are refused, a spent budget, upstreams that are overloaded, limit us, or do not take our key, callers who leave, streams
 * that break.
 */
export interface BusyGateway {
  readonly port: number;
  /** Of the requests that are over. */
  requestIds(): ReadonlySet<string>;
  /** All callers leave; resolves when everything is closed. */
  close(): Promise<void>;
}

const QUICK = {
  firstTokenBaseMs: 30,
  perUncachedInputTokenUs: 10,
  perOutputTokenMs: 2,
  jitter: 0.1,
  pingEveryMs: 5_000,
};
const LIMITS = { requestsPerMinute: 4_000, inputTokensPerMinute: 4_000_000, outputTokensPerMinute: 800_000 };
const PAUSE_MS = 150;
const CLOSE_MS = 3_000;

const settings = (url: string): string => `
upstreams:
  - { id: main, baseUrl: "${url}", apiKey: upstream-key-of-main, cacheDomain: one, maxConcurrency: 6 }
  - { id: spare, baseUrl: "${url}", apiKey: upstream-key-of-spare, cacheDomain: two, maxConcurrency: 6 }
  - { id: revoked, baseUrl: "${url}", apiKey: upstream-key-that-was-revoked }
tenants:
  - { id: app, keys: [gateway-key-of-app], upstreams: [main, spare] }
  - { id: dated, keys: [gateway-key-of-dated], upstreams: [main] }
  - { id: crowd, keys: [gateway-key-of-crowd], upstreams: [main], maxConcurrency: 1, queue: { max: 2, timeout: 2s } }
  - { id: watched, keys: [gateway-key-of-watched], upstreams: [main], cache: observe }
  - { id: spent, keys: [gateway-key-of-spent], upstreams: [main], budget: { usd: 0.001, per: day } }
  - { id: misled, keys: [gateway-key-of-misled], upstreams: [revoked] }
`;

export async function startBusyGateway(): Promise<BusyGateway> {
  const workspaces = { 'upstream-key-of-main': 'wrkspc_main', 'upstream-key-of-spare': 'wrkspc_spare' };
  const rateLimits = { eachClass: LIMITS, scope: 'workspace' } as const;
  const simulator = createSimulator({ clock: systemClock, seed: 6, workspaces, timing: QUICK, rateLimits });
  simulator.script({ fault: '529', rate: 0.08 });
  simulator.script({ fault: '429;retry-after-ms=20', rate: 0.08 });
  simulator.script({ fault: '500', rate: 0.05 });
  const upstream = await serveSimulator((request) => simulator.fetch(request), 0);
  const { gateway, server, records } = await startGateway(settings(upstream.baseUrl), systemClock);
  const stopped = new AbortController();
  const running = Promise.all(CALLERS.map((caller) => keepAsking(caller, server.port, stopped.signal)));
  return {
    port: server.port,
    requestIds: () => new Set(records.map(({ id }) => id)),
    async close() {
      stopped.abort();
      await running;
      await server.close(CLOSE_MS);
      await gateway.close();
      await upstream.close();
    },
  };
}

interface Question {
  readonly tenant: string;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The caller leaves so long after having asked. */
  readonly leavesAfterMs?: number;
  readonly path?: string;
}

/** What one caller asks in its n-th turn, all of it at once. */
type Caller = (turn: number) => readonly Question[];

const LONG = textOf('instructions', 3_000);
const stream = { stream: true };
const fault = (text: string) => ({ headers: { 'x-simulator-fault': text } });

const CALLERS: readonly Caller[] = [
  // A conversation that grows; each has its own beginning.
  (turn) => {
    const system = textOf(`conversation ${Math.floor(turn / 6)}`, 2_000);
    const past = Array.from({ length: turn % 6 }, (_, at) => [
      user(textOf(`q${at}`, 200)),
      assistant(textOf(`a${at}`, 200)),
    ]);
    return [{ tenant: 'app', body: ask({ ...stream, system, messages: [...past.flat(), user('And now?')] }) }];
  },
  // A date in front of what could be cached, and nothing else of that tenant.
  (turn) => [{ tenant: 'dated', body: ask({ ...stream, system: [block(`It is ${turn}.`), block(LONG, '5m')] }) }],
  // An hour's prefix, and one that is never read.
  (turn) => [
    { tenant: 'app', body: ask({ ...stream, system: [block(LONG, '1h')] }) },
    { tenant: 'app', body: ask({ system: [block(textOf(`once ${turn}`, 1_500), '5m')] }) },
  ],
  // Many at once on one cold prefix.
  (turn) => {
    const system = [block(textOf(`burst ${turn}`, 4_000), '5m')];
    return Array.from({ length: 4 }, (_, at) => ({
      tenant: 'app',
      body: ask({ ...stream, system, messages: [user(`${at}`)] }),
    }));
  },
  // A prompt that the gateway marks, until a 400 speaks of its markers.
  (turn) => {
    const [model, system] = ['claude-opus-5-5', textOf('refused', 2_000)];
    const question = { tenant: 'app', body: { ...ask({ system, messages: [user(`${turn}`)] }), model } };
    return [turn % 5 === 4 ? { ...question, ...fault('400;code=cache_control') } : question];
  },
  () =>
    Array.from({ length: 4 }, () => ({
      tenant: 'crowd',
      body: ask(stream),
      headers: { 'x-simulator-output-tokens': '60' },
    })),
  () => [{ tenant: 'misled', body: ask({}) }],
  () => [{ tenant: 'watched', body: ask({ ...stream, system: LONG }) }],
  () => [{ tenant: 'spent', body: ask({ system: LONG, max_tokens: 200 }) }],
  // What goes wrong: before the answer, within it, and at the caller's.
  () => [
    { tenant: 'app', body: ask(stream), ...fault('529') },
    { tenant: 'app', body: ask(stream), ...fault('500') },
    { tenant: 'app', body: ask(stream), ...fault('cut;after=3') },
    { tenant: 'app', body: ask(stream), ...fault('stall;after=3;ms=2000'), leavesAfterMs: 300 },
    { tenant: 'app', body: ask({}), ...fault('stall-headers;ms=2000'), leavesAfterMs: 100 },
    { tenant: 'app', body: '{' },
    { tenant: 'nobody', body: ask({}) },
    { tenant: 'app', body: ask({}), path: '/v1/nowhere' },
  ],
];

async function keepAsking(caller: Caller, port: number, stopped: AbortSignal): Promise<void> {
  for (let turn = 0; !stopped.aborted; turn++) {
    await Promise.all(caller(turn).map((question) => askOnce(question, port, stopped)));
    await new Promise<void>((resolve) => systemClock.after(PAUSE_MS, resolve));
  }
}

/** Whatever comes of it: the figures are what this is for. */
async function askOnce(question: Question, port: number, stopped: AbortSignal): Promise<void> {
  const { tenant, body, headers = {}, leavesAfterMs, path = '/v1/messages' } = question;
  const leaves = leavesAfterMs === undefined ? [] : [AbortSignal.timeout(leavesAfterMs)];
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: {
        'x-api-key': `gateway-key-of-${tenant}`,
        'anthropic-version': '2023-06-01',
        'content-type': 'application/json',
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal: AbortSignal.any([stopped, ...leaves]),
    });
    await response.text();
  } catch {
    // cut, or left
  }
}
