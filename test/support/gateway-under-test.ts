import { afterEach } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';
import { eventually } from './eventually.ts';
import { parseSettings } from './gateway-on-node.ts';
import { readMetrics, type MetricSamples } from './metric-samples.ts';
import { connectRaw, requestBytes, type RawClient, type RawResponse, type RequestParts } from './raw-client.ts';
import { startRunningGateway, type InProcess, type RunningGateway, type SlotCounts } from './running-gateway.ts';
import { startScriptedUpstream, type ScriptedUpstream, type UpstreamCall } from './scripted-upstream.ts';

/**
 * A gateway on real sockets between a scripted upstream and raw clients. After each test the leak guard hangs up every
 * client and expects that nothing is left: no slot, no waiter, no call, no connection.
 */
export interface Stage {
  readonly upstream: ScriptedUpstream;
  readonly port: number;
  /** On Node only. */
  readonly inProcess: InProcess;
  readonly records: readonly ExchangeRecord[];
  /** Bugs that the gateway told its operator of. The leak guard expects none. */
  readonly internalErrors: readonly unknown[];
  /** Tenants that hold a slot or wait for one. */
  slots(): Promise<SlotCounts>;
  connect(): Promise<RawClient>;
  /** One request on a connection of its own, answered to the end. */
  ask(parts: RequestParts): Promise<RawResponse>;
  /** A request that is left open: its client, and its call once it has reached the upstream. */
  open(parts?: RequestParts): Promise<OpenExchange>;
  metrics(): Promise<MetricSamples>;
  reload(settings: (upstreamUrl: string) => string): void;
  /** Waits for the record of the exchange with this index, counted from 0. */
  record(index: number): Promise<ExchangeRecord>;
  /** Waits until so many event streams have begun upstream and are not over, whatever of them has been sent. */
  streamsOpen(count: number): Promise<void>;
  /** One of globex's, from start to end: what an upstream had sent on other calls by then has been read by the gateway. */
  anotherExchange(): Promise<void>;
}

export interface OpenExchange {
  readonly client: RawClient;
  readonly call: UpstreamCall;
}

export interface StageOptions {
  readonly settings?: (upstreamUrl: string) => string;
  readonly clock?: Clock;
}

export const ACME_KEY = 'gateway-key-of-acme';
export const GLOBEX_KEY = 'gateway-key-of-globex';
export const UPSTREAM_KEY = 'upstream-key-of-main';

export const STREAM_BODY = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 64, stream: true, messages: [] });

/** A request that the gateway takes: acme's, for a stream, unless told otherwise. */
export function asking(parts: RequestParts = {}, key = ACME_KEY): RequestParts {
  return { body: STREAM_BODY, ...parts, headers: { 'x-api-key': key, ...parts.headers } };
}

/**
 * Managed mode with two tenants; `acme` and `limits` are YAML flow text put into the places of their names. Most tests look
 * at one call: nothing is asked again unless they say so.
 */
export function managed(acme = '', limits = '', retries = 0): (upstreamUrl: string) => string {
  return (url) => `
upstreams:
  - { id: main, baseUrl: "${url}", apiKey: ${UPSTREAM_KEY} }
tenants:
  - { id: acme, keys: [${ACME_KEY}]${acme && `, ${acme}`} }
  - { id: globex, keys: [${GLOBEX_KEY}] }
limits: { retries: ${retries}${limits && `, ${limits}`} }
`;
}

export function passThrough(limits = ''): (upstreamUrl: string) => string {
  return (url) => `
upstreams:
  - { id: main, baseUrl: "${url}" }
limits: { retries: 0${limits && `, ${limits}`} }
`;
}

const GUARD_DEADLINE_MS = 10_000;

/** Call once per test file; each test then starts what it needs, and the guard sees to the rest. */
export function useStage(): (options?: StageOptions) => Promise<Stage> {
  const start = useCleanedUp(startStage);
  return (options = {}) => start(options);
}

/** Whatever is started through the returned function is cleaned up after the test that started it. */
export function useCleanedUp<Options, Started>(
  start: (options: Options) => Promise<{ stage: Started; cleanUp: () => Promise<void> }>,
): (options: Options) => Promise<Started> {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanups.splice(0)) await cleanUp();
  });
  return async (options) => {
    const { stage, cleanUp } = await start(options);
    cleanups.push(cleanUp);
    return stage;
  };
}

async function startStage({ settings = managed(), clock = systemClock }: StageOptions) {
  const upstream = await startScriptedUpstream();
  const running = await startRunningGateway(settings(upstream.url), clock);
  const clients: RawClient[] = [];

  const stage: Stage = {
    upstream,
    port: running.port,
    get inProcess() {
      return running.inProcess;
    },
    get records() {
      return running.records;
    },
    get internalErrors() {
      return running.internalErrors;
    },
    slots: running.tenantSlots,
    async connect() {
      const client = await connectRaw(running.port);
      clients.push(client);
      return client;
    },
    async ask(parts) {
      const client = await stage.connect();
      client.send(requestBytes(parts));
      const response = await client.response({ isHead: parts.method === 'HEAD' });
      client.close();
      return response;
    },
    async open(parts = asking()) {
      const client = await stage.connect();
      const index = upstream.calls.length;
      client.send(requestBytes(parts));
      return { client, call: await upstream.call(index) };
    },
    metrics: async () => readMetrics(await running.metricsPage()),
    reload(next) {
      const { config, secrets } = parseSettings(next(upstream.url));
      running.inProcess.gateway.reload(config, secrets);
    },
    async record(index) {
      await eventually(`exchange ${index} is recorded`, GUARD_DEADLINE_MS, () => running.records.length > index);
      return running.records[index] as ExchangeRecord;
    },
    streamsOpen: (count) =>
      eventually(`${count} streams are open`, GUARD_DEADLINE_MS, async () => {
        return (await stage.metrics()).sum('slipstream_open_streams') === count;
      }),
    async anotherExchange() {
      const { client, call } = await stage.open(asking({}, GLOBEX_KEY));
      call.answer(200, {});
      await client.response();
      client.close();
    },
  };
  const cleanUp = async (): Promise<void> => {
    for (const client of clients) client.reset(); // what every runtime sees, also while nothing is sent
    const leak = await nothingLeft(stage, running, clock).then(
      () => null,
      (error: Error) => error,
    );
    const { cutConnections } = await running.close();
    await upstream.close();
    if (leak) throw leak;
    if (cutConnections > 0) throw new Error(`${cutConnections} connections of clients that hung up are still open`);
  };
  return { stage, cleanUp };
}

async function nothingLeft(
  stage: Stage,
  { upstreamSlots, ownGuards, comeToRest }: RunningGateway,
  clock: Clock,
): Promise<void> {
  const guard = (label: string, isSo: () => boolean | Promise<boolean>): Promise<void> =>
    eventually(`leak guard: ${label}`, GUARD_DEADLINE_MS, isSo);
  await guard('every slot is free and nobody waits', async () => (await stage.slots()).size === 0);
  await guard('every slot of an upstream is free and nobody waits', async () => {
    return [...(await upstreamSlots()).values()].every(({ inUse, waiting }) => inUse === 0 && waiting === 0);
  });
  for (const [label, isSo] of Object.entries(ownGuards)) await guard(label, isSo);
  await guard('no upstream call is open', () => stage.upstream.openCalls === 0);
  await guard('no stream is open', async () => (await stage.metrics()).sum('slipstream_open_streams') === 0);
  await comeToRest();
  await guard('no timer is set', () => !('pending' in clock) || clock.pending === 0);
  if (stage.internalErrors.length > 0) throw new Error(`internal errors: ${stage.internalErrors.join('; ')}`);
}
