import { expect } from 'vitest';
import type { Gateway } from '../../src/node/gateway.ts';
import { createLog, logRecord } from '../../src/node/log.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';
import { eventually, within } from '../support/eventually.ts';
import { startGateway } from '../support/gateway-on-node.ts';
import { ACME_KEY, GLOBEX_KEY, UPSTREAM_KEY } from '../support/gateway-under-test.ts';
import { readMetrics, type MetricSamples } from '../support/metric-samples.ts';
import { connectRaw, requestBytes, type RawClient, type RequestParts } from '../support/raw-client.ts';
import { FINE_JSON, FINE_STREAM, PROMPT_WORD } from './answers.ts';
import { connectCounting, type CountingClient } from './counting-client.ts';
import { expectNothingBehind, expectNothingPlanted, noConnectionLeft, nothingLeft } from './guard.ts';
import { refusingUrl, startRawUpstream, type Plan, type RawUpstream } from './raw-upstream.ts';
import { createShiftingClock, type ShiftingClock, type ShiftingClockOptions } from './shifting-clock.ts';
import { ownText, sightOf, type Sight } from './sight.ts';

/**
 * One case: a gateway of its own between upstreams and clients on bare sockets, and behind it, always, the same guard:
 * nothing is held, nobody waits, no call, timer or stream is left, each request was told of once, each caller saw one
 * outcome, and nothing that was planted in prompt, answer or keys is in what the gateway says of itself.
 */
export interface FaultStage {
  readonly upstream: RawUpstream;
  /** The second upstream of a case that has one. */
  readonly other: RawUpstream;
  readonly gateway: Gateway;
  readonly clock: ShiftingClock;
  readonly records: readonly ExchangeRecord[];
  /** Requests the guard expects to be counted, and those of them that it expects a record of. */
  readonly expected: { requests: number; records: number };
  connect(): Promise<RawClient>;
  connectCounting(): Promise<CountingClient>;
  /** One whole request, which the guard expects to find counted and recorded. */
  sendOn(client: Pick<RawClient, 'send'>, parts?: RequestParts): void;
  /** On a connection of its own. */
  send(parts?: RequestParts): Promise<RawClient>;
  metrics(): Promise<MetricSamples>;
  record(index: number, deadlineMs?: number): Promise<ExchangeRecord>;
  /** Waits for the one outcome of a request, and that nothing comes behind it. */
  seen(client: RawClient): Promise<Sight>;
  tenantCounts(): { readonly inUse: number; readonly waiting: number };
}

export interface FaultStageOptions extends ShiftingClockOptions {
  /** Flow text put behind `id` and `keys` of the tenant. */
  readonly tenant?: string;
  /** `streamIdle`; long unless told otherwise. */
  readonly idleMs?: number;
  readonly retries?: number;
  readonly limits?: string;
  readonly upstream?: string;
  readonly cache?: string;
  /** `refusing`: the first of two upstreams refuses every connection. */
  readonly first?: 'refusing';
  /** Another upstream behind the first: what it does with its attempts. */
  readonly other?: Plans;
}

/** What is done with each attempt; the last is done with all that follow. */
export type Plans = readonly [Plan, ...Plan[]];

export const DEADLINE_MS = 5_000;
/** Shorter than any idle limit in the settings: undici looks at its own about twice a second. */
export const IDLE_MS = 300;

export async function onStage(
  plans: Plans,
  options: FaultStageOptions,
  run: (stage: FaultStage) => Promise<void>,
): Promise<void> {
  const upstream = await startRawUpstream(planOf(plans));
  const other = await startRawUpstream(planOf(options.other ?? plans));
  const clock = createShiftingClock(options);
  const settings = await settingsOf(upstream, other, options);
  const { gateway, server, records, internalErrors } = await startGateway(settings, clock);
  const clients: Pick<RawClient, 'close'>[] = [];
  const ownTexts: string[] = [];
  const seen = new Set<RawClient>();
  const stage: FaultStage = {
    upstream,
    other,
    gateway,
    clock,
    records,
    expected: { requests: 0, records: 0 },
    async connect() {
      const client = await connectRaw(server.port);
      clients.push(client);
      return client;
    },
    async connectCounting() {
      const client = await connectCounting(server.port);
      clients.push(client);
      return client;
    },
    sendOn(client, parts = asking('stream')) {
      client.send(requestBytes(parts));
      stage.expected.requests++;
      stage.expected.records++;
    },
    async send(parts) {
      const client = await stage.connect();
      stage.sendOn(client, parts);
      return client;
    },
    metrics: async () => readMetrics((await gateway.metrics.page('')).text),
    async record(index, deadlineMs = DEADLINE_MS) {
      await eventually(`exchange ${index} is recorded`, deadlineMs, () => records.length > index);
      return records[index] as ExchangeRecord;
    },
    async seen(client) {
      const sight = await sightOf(client, DEADLINE_MS);
      ownTexts.push(ownText(sight));
      seen.add(client);
      return sight;
    },
    tenantCounts: () => gateway.engine.slots.counts().get('acme') ?? { inUse: 0, waiting: 0 },
  };
  const leave = async (): Promise<number> => {
    for (const client of clients) client.close();
    const { cutConnections } = await server.close(DEADLINE_MS);
    await within('the gateway closes', DEADLINE_MS, gateway.close());
    return cutConnections;
  };
  const failure = await failureOf(async () => {
    await run(stage);
    await nothingLeft(stage, internalErrors);
    expectNothingBehind(seen);
    expectNothingPlanted([...ownTexts, ...(await pages(gateway)), ...logLines(records), JSON.stringify(records)]);
  });
  const leak = await failureOf(async () => noConnectionLeft(stage, await leave()));
  await Promise.all([upstream.close(), other.close()]);
  if (failure ?? leak) throw failure ?? leak;
}

async function pages({ metrics }: Gateway): Promise<string[]> {
  const formats = ['text/plain', 'application/openmetrics-text'];
  return Promise.all(formats.map(async (accept) => (await metrics.page(accept)).text));
}

/** As pino writes them. */
function logLines(records: readonly ExchangeRecord[]): string[] {
  const lines: string[] = [];
  const log = createLog({ write: (line) => void lines.push(line) });
  for (const record of records) logRecord(log, record);
  expect(lines.length).toBe(records.length);
  return lines;
}

async function failureOf(step: () => Promise<void>): Promise<Error | null> {
  return step().then(
    () => null,
    (error: Error) => error,
  );
}

const planOf =
  (plans: Plans) =>
  (index: number): Plan =>
    plans[Math.min(index, plans.length - 1)] as Plan;

async function settingsOf({ url }: RawUpstream, other: RawUpstream, options: FaultStageOptions): Promise<string> {
  const { tenant, idleMs = 60_000, retries = 4, limits, upstream, cache = '', first } = options;
  const more = (text: string | undefined): string => (text ? `, ${text}` : '');
  const entry = (id: string, baseUrl: string): string =>
    `  - { id: ${id}, baseUrl: "${baseUrl}", apiKey: ${UPSTREAM_KEY} }\n`;
  const refusing = first ? entry('refusing', await refusingUrl()) : '';
  return `
upstreams:
${refusing}  - { id: main, baseUrl: "${url}", apiKey: ${UPSTREAM_KEY}${more(upstream)} }
${options.other ? entry('other', other.url) : ''}tenants:
  - { id: acme, keys: [${ACME_KEY}]${more(tenant)} }
  - { id: globex, keys: [${GLOBEX_KEY}] }
limits: { streamIdle: ${idleMs}ms, retries: ${retries}${more(limits)} }
cache: { ${cache} }
`;
}

export const KINDS = ['stream', 'json'] as const;
export type Kind = (typeof KINDS)[number];
export const FINE = { stream: FINE_STREAM, json: FINE_JSON } as const satisfies Record<Kind, Plan>;

/** Acme's request; its prompt holds a planted word. */
export function asking(kind: Kind, parts: RequestParts = {}): RequestParts {
  const messages = [{ role: 'user', content: PROMPT_WORD }];
  const body = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 64, stream: kind === 'stream', messages });
  return { body, ...parts, headers: { 'x-api-key': ACME_KEY, ...parts.headers } };
}
