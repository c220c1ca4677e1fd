import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { BLOCK_START, messageStart, MODEL, streamTail, textDelta } from '../support/claude-answers.ts';
import { eventually, standsStill } from '../support/eventually.ts';
import type { ScriptedUpstream, UpstreamCall } from '../support/scripted-upstream.ts';
import { useWorkerStage } from './worker-stage.ts';

/**
 * Twenty tenants with fifty slots each ask for half as much again, through two isolates: the upstream must see a thousand
 * streams at once and not one more, and in the end everybody is served and everything adds up.
 */
const TENANTS = 20;
const SLOTS = 50;
const ASKS = 75;
const INPUT_TOKENS = 12;
const OUTPUT_TOKENS = 7;

const start = useWorkerStage();
const keyOf = (tenant: number): string => `gateway-key-of-tenant-${tenant}`;
const tenants = Array.from({ length: TENANTS }, (_, tenant) => tenant);

function settings(url: string): string {
  const lines = tenants.map((at) => `  - { id: tenant-${at}, keys: [${keyOf(at)}], maxConcurrency: ${SLOTS} }`);
  return `
upstreams:
  - { id: main, baseUrl: "${url}", apiKey: upstream-key-of-main, maxConcurrency: ${TENANTS * SLOTS * 2} }
tenants:
${lines.join('\n')}
limits: { retries: 0 }
`;
}

interface Answer {
  readonly status: number;
  readonly isWhole: boolean;
}

/** One stream on a connection of its own, read to its end. */
function ask(port: number, tenant: number): Promise<Answer> {
  const body = JSON.stringify({
    model: MODEL,
    max_tokens: 64,
    stream: true,
    messages: [{ role: 'user', content: `I am ${tenant}` }],
  });
  const headers = { 'x-api-key': keyOf(tenant), 'content-type': 'application/json', 'x-tenant': String(tenant) };
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', path: '/v1/messages', method: 'POST', headers, agent: false });
    outgoing.on('error', reject).on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      incoming.on('error', reject).on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, isWhole: incoming.complete && text.includes('message_stop') });
      });
    });
    outgoing.end(body);
  });
}

/** What runs upstream, and the most that ever ran at once, by tenant. */
function watchUpstream(upstream: ScriptedUpstream) {
  const held: UpstreamCall[] = [];
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  let isHolding = true;
  const finish = (call: UpstreamCall): void => {
    running.set(tenantOf(call), (running.get(tenantOf(call)) ?? 0) - 1);
    call.write(streamTail(OUTPUT_TOKENS));
    call.end();
  };
  upstream.script = (call) => {
    const tenant = tenantOf(call);
    const now = (running.get(tenant) ?? 0) + 1;
    running.set(tenant, now);
    most.set(tenant, Math.max(most.get(tenant) ?? 0, now));
    call.sse();
    call.write(messageStart({ input_tokens: INPUT_TOKENS, output_tokens: 1 }) + BLOCK_START + textDelta('Hello'));
    if (isHolding) held.push(call);
    else finish(call);
  };
  return {
    held,
    most,
    finishAll() {
      isHolding = false;
      for (const call of held.splice(0)) finish(call);
    },
  };
}

const tenantOf = ({ headers }: UpstreamCall): string => String(headers['x-tenant']);

describe('1,000 streams of 20 tenants over two isolates', () => {
  it("hold every tenant's limit, are all served, and add up in the metrics", async () => {
    const stage = await start({ settings, isolates: 2 });
    const watch = watchUpstream(stage.upstream);
    const answers = tenants.flatMap((tenant) =>
      Array.from({ length: ASKS }, (_, turn) => ask(stage.workerd.ports[turn % 2] as number, tenant)),
    );
    await eventually('1,000 streams are upstream', 30_000, () => watch.held.length === TENANTS * SLOTS);
    expect(await standsStill('no more come', 5_000, () => watch.held.length, 500)).toBe(TENANTS * SLOTS);
    const during = await stage.metrics();
    expect(during.sum('slipstream_slots_in_use', { scope: 'tenant' })).toBe(TENANTS * SLOTS);
    expect(during.sum('slipstream_queue_depth', { scope: 'tenant' })).toBe(TENANTS * (ASKS - SLOTS));

    watch.finishAll();
    const served = await Promise.all(answers);
    expect(served.filter(({ status, isWhole }) => status !== 200 || !isWhole)).toEqual([]);
    expect([...watch.most.values()]).toEqual(tenants.map(() => SLOTS));
    await stage.slotsFree();

    const all = TENANTS * ASKS;
    await eventually('every request is counted', 10_000, async () => {
      return (await stage.metrics()).sum('slipstream_requests_total', { status: '200' }) === all;
    });
    const metrics = await stage.metrics(1); // the other isolate's page says the same
    expect(stage.upstream.calls).toHaveLength(all);
    expect(metrics.sum('slipstream_upstream_attempts_total', { outcome: 'ok' })).toBe(all);
    expect(metrics.sum('slipstream_streams_total', { outcome: 'complete' })).toBe(all);
    expect(metrics.sum('slipstream_open_streams')).toBe(0);
    for (const tenant of tenants.map((at) => `tenant-${at}`)) {
      expect(metrics.sum('slipstream_requests_total', { tenant })).toBe(ASKS);
      expect(metrics.sum('slipstream_input_tokens_total', { tenant })).toBe(ASKS * INPUT_TOKENS);
      expect(metrics.sum('slipstream_output_tokens_total', { tenant })).toBe(ASKS * OUTPUT_TOKENS);
    }
  });
});
