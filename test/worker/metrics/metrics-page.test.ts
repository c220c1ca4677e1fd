import { describe, expect, it } from 'vitest';
import { message, streamHead } from '../../support/claude-answers.ts';
import { eventually } from '../../support/eventually.ts';
import { asking, GLOBEX_KEY, managed } from '../../support/gateway-under-test.ts';
import type { MetricSamples } from '../../support/metric-samples.ts';
import { useWorkerStage, type WorkerStage } from '../worker-stage.ts';

/** The metrics page of the deployed bundle, from two isolates whose figures come together in the hub. */
const start = useWorkerStage();
const settings = managed('maxConcurrency: 2, queue: { max: 5 }');
const DEADLINE_MS = 10_000;

function running(metrics: MetricSamples, tenant: string) {
  const slots = { scope: 'tenant', name: tenant };
  return {
    open: metrics.sum('slipstream_open_streams', { tenant }),
    inUse: metrics.sum('slipstream_slots_in_use', slots),
    waiting: metrics.sum('slipstream_queue_depth', slots),
    limit: metrics.sum('slipstream_slots_limit', slots),
  };
}

async function expectRunning(stage: WorkerStage, isolate: number, acme: ReturnType<typeof running>): Promise<void> {
  const what = `isolate ${isolate} shows ${JSON.stringify(acme)}`;
  await eventually(what, DEADLINE_MS, async () => {
    return JSON.stringify(running(await stage.metrics(isolate), 'acme')) === JSON.stringify(acme);
  });
}

async function openStream(stage: WorkerStage, isolate: number) {
  const index = stage.upstream.calls.length;
  const client = await stage.open(asking(), isolate);
  const call = await stage.upstream.call(index);
  call.sse();
  call.write(streamHead({ input_tokens: 5, output_tokens: 1 }));
  await client.body('the first text arrives', (text) => text.includes('Hello'));
  return client;
}

describe('the page', () => {
  it('shows from every isolate what runs and waits in all of them, and 0 when all callers are gone', async () => {
    const stage = await start({ settings, isolates: 2 });
    const clients = [await openStream(stage, 0), await openStream(stage, 1), await stage.open(asking(), 1)];
    for (const isolate of [0, 1]) await expectRunning(stage, isolate, { open: 2, inUse: 2, waiting: 1, limit: 2 });
    for (const client of clients.toReversed()) client.reset();
    for (const isolate of [0, 1]) await expectRunning(stage, isolate, { open: 0, inUse: 0, waiting: 0, limit: 2 });
    const metrics = await stage.metrics();
    expect(running(metrics, 'globex')).toEqual({ open: 0, inUse: 0, waiting: 0, limit: 16 });
    expect(metrics.sum('slipstream_slots_in_use', { scope: 'upstream', name: 'main' })).toBe(0);
  });

  it('adds up what the isolates have counted', async () => {
    const stage = await start({ settings, isolates: 2 });
    for (const [index, isolate] of [0, 1, 1].entries()) {
      const client = await stage.open(asking({}, GLOBEX_KEY), isolate);
      (await stage.upstream.call(index)).answer(200, message({ input_tokens: 10, output_tokens: 4 }));
      expect((await client.response()).status).toBe(200);
    }
    await eventually('all three are counted', DEADLINE_MS, async () => {
      const metrics = await stage.metrics();
      return metrics.sum('slipstream_requests_total', { tenant: 'globex', status: '200' }) === 3;
    });
    const metrics = await stage.metrics(1);
    expect(metrics.sum('slipstream_input_tokens_total', { tenant: 'globex' })).toBe(30);
    expect(metrics.sum('slipstream_output_tokens_total', { tenant: 'globex' })).toBe(12);
    expect(metrics.sum('slipstream_upstream_attempts_total', { outcome: 'ok' })).toBe(3);
    expect(metrics.sum('gen_ai_server_request_duration_seconds_count')).toBe(3);
  });

  it('is OpenMetrics where the scraper accepts it', async () => {
    const stage = await start({ settings });
    const accept = 'application/openmetrics-text;version=1.0.0';
    const client = await stage.open({ method: 'GET', target: '/metrics', headers: { accept } });
    const { status, headers, text } = await client.response();
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^application\/openmetrics-text/);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
  });
});
