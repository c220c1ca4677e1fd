import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { RequestRow, RequestStory, SavingsReport, Snapshot } from '../../src/console/contract.ts';
import { message, streamHead, streamTail, textDelta } from '../support/claude-answers.ts';
import { CONSOLE_TOKEN, consoleParts, newestSnapshot, withConsole } from '../support/console-client.ts';
import { eventually } from '../support/eventually.ts';
import { ACME_KEY, asking, GLOBEX_KEY, managed } from '../support/gateway-under-test.ts';
import type { RawClient } from '../support/raw-client.ts';
import { useWorkerStage, type WorkerStage } from './worker-stage.ts';

/** The console of the deployed bundle, where isolates are told apart and their figures come together in the hub. */
const start = useWorkerStage();
const settings = withConsole();
/** An isolate that does not know that somebody looks says what runs in it every five seconds. */
const DEADLINE_MS = 10_000;

async function get(stage: WorkerStage, path: string, isolate = 0, headers = consoleParts(path).headers) {
  const client = await stage.open({ method: 'GET', target: `/console${path}`, headers }, isolate);
  return client.response();
}

async function figures<Shape>(stage: WorkerStage, path: string, isolate = 0): Promise<Shape> {
  const { status, text } = await get(stage, `/api${path}`, isolate);
  expect([path, status]).toEqual([path, 200]);
  return JSON.parse(text) as Shape;
}

/** One that is answered at once; returns its id. */
async function serve(stage: WorkerStage, isolate: number, key = ACME_KEY): Promise<string> {
  stage.upstream.script = (call) => call.answer(200, message({ input_tokens: 400, cache_read_input_tokens: 9_600 }));
  const client = await stage.open(asking({}, key), isolate);
  const { status, headers } = await client.response();
  expect(status).toBe(200);
  return String(headers['x-slipstream-id']);
}

describe('the page', () => {
  it('is served by every isolate, with the headers that keep everything else out', async () => {
    const stage = await start({ settings, isolates: 2 });
    const { status, headers, text } = await get(stage, '', 1);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; /);
    const files = [...text.matchAll(/(?:src|href)="\/console\/([^"]+)"/g)].map(([, name]) => name);
    expect(files).toEqual(expect.arrayContaining(['app.js', 'app.css']));
    for (const name of files) expect([name, (await get(stage, `/${name}`)).status]).toEqual([name, 200]);
  });

  it('is sent again only when it has changed', async () => {
    const stage = await start({ settings });
    const { headers } = await get(stage, '/app.js');
    const again = await get(stage, '/app.js', 0, { 'if-none-match': String(headers['etag']) } as never);
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('is nowhere but under /console', async () => {
    const stage = await start({ settings });
    for (const target of ['/index.html', '/app.js', '/console/nothing.js', '/console/..%2Fmain.js']) {
      const client = await stage.open({ method: 'GET', target });
      expect([target, (await client.response()).status]).toEqual([target, 404]);
    }
  });

  it('is not there without a token in the settings, and neither is a figure', async () => {
    const stage = await start({ settings: managed() });
    for (const path of ['', '/app.js', '/api/requests', '/api/live'])
      expect([path, (await get(stage, path)).status]).toEqual([path, 404]);
  });
});

describe('the figures', () => {
  it('are for nobody without the token', async () => {
    const stage = await start({ settings });
    for (const authorization of ['', 'Bearer wrong', `Basic ${CONSOLE_TOKEN}`])
      expect((await get(stage, '/api/requests', 0, { authorization })).status).toBe(401);
  });

  it('tell the story of a request by its id, whichever isolate has served it', async () => {
    const stage = await start({ settings, isolates: 2 });
    const id = await serve(stage, 1);
    const story = await eventuallyStory(stage, id);
    expect(story).toMatchObject({ id, status: 200, tenant: 'acme', tokens: { cacheRead: 9_600 } });
    expect(story.calls).toMatchObject([{ upstream: 'main', outcome: 'ok' }]);
  });

  it('add up what the isolates have served, to the same as the metrics page', async () => {
    const stage = await start({ settings, isolates: 2 });
    for (const [isolate, key] of [ACME_KEY, GLOBEX_KEY, GLOBEX_KEY].entries()) await serve(stage, isolate % 2, key);
    await eventually('all three are listed', DEADLINE_MS, async () => {
      return (await figures<{ requests: RequestRow[] }>(stage, '/requests')).requests.length === 3;
    });
    const { rows, total } = await figures<SavingsReport>(stage, '/savings?by=tenant', 1);
    const metrics = await stage.metrics();
    expect(rows.map(({ name, requests }) => [name, requests])).toEqual([
      ['globex', 2],
      ['acme', 1],
    ]);
    for (const { name, costUsd, tokens } of rows) {
      expect(costUsd).toBeCloseTo(metrics.sum('slipstream_cost_usd_total', { tenant: name }), 9);
      const ofReads = { tenant: name, kind: 'cache_read' };
      expect(tokens.cacheRead).toBe(metrics.sum('slipstream_input_tokens_total', ofReads));
    }
    expect(total.savedUsd).toBeGreaterThan(0);
  });
});

describe('a viewer of the live figures', () => {
  it('sees what runs in every isolate, how it goes on, and that it is over', async () => {
    const stage = await start({ settings: withConsole('maxConcurrency: 2'), isolates: 2 });
    const viewer = await stage.open(consoleParts('/api/live'), 0);
    const sees = async (what: string, isSo: (snapshot: Snapshot) => boolean): Promise<Snapshot> => {
      let seen: Snapshot | null = null;
      await eventually(what, DEADLINE_MS, () => {
        const sent = viewer.peek().body.toString();
        if (sent.includes('event: snapshot') && sent.endsWith('\n\n')) seen = newestSnapshot(sent);
        return seen !== null && isSo(seen);
      });
      return seen as unknown as Snapshot;
    };
    await sees('nothing runs', ({ liveCount }) => liveCount === 0);
    const streams = [await openStream(stage, 0), await openStream(stage, 1)];
    const waiting = await stage.open(asking(), 1);
    const { tenants, upstreams } = await sees('two run and one waits', ({ live }) => live.length === 3);
    expect(tenants.find(({ id }) => id === 'acme')).toMatchObject({ inUse: 2, waiting: 1, limit: 2 });
    expect(upstreams).toMatchObject([{ id: 'main', inUse: 2 }]);
    streams[1]?.call.write(textDelta('more and more text '.repeat(20)));
    await sees('the second goes on', ({ live }) => live.some(({ outputTokensEstimate }) => outputTokensEstimate > 50));
    for (const { call } of streams) {
      call.write(streamTail());
      call.end();
    }
    (await stage.upstream.call(2)).answer(200, message());
    await waiting.response();
    const over = await sees('all is over', ({ liveCount, totals }) => liveCount === 0 && totals.requests === 3);
    expect(over.totals.errors).toBe(0);
  });
});

describe('a hub that fails', () => {
  it('harms no request; whoever looks is told', async () => {
    const wrapperPath = fileURLToPath(new URL('broken-console-hub.js', import.meta.url));
    const stage = await start({ settings, wrapperPath });
    await serve(stage, 0);
    for (const path of ['/api/requests', '/api/live']) {
      const { status, headers, text } = await get(stage, path);
      expect([path, status, headers['retry-after']]).toEqual([path, 503, '5']);
      expect(text).toContain('Requests are served all the same');
    }
    await serve(stage, 0);
    await stage.slotsFree();
    expect(stage.workerd.lines.filter((line) => line.includes('Uncaught'))).toEqual([]);
  });
});

async function eventuallyStory(stage: WorkerStage, id: string): Promise<RequestStory> {
  let story: RequestStory | null = null;
  await eventually('the story is known to the other isolate', DEADLINE_MS, async () => {
    const { status, text } = await get(stage, `/api/requests/${id}`, 0);
    if (status === 200) story = JSON.parse(text) as RequestStory;
    return story !== null;
  });
  return story as unknown as RequestStory;
}

async function openStream(stage: WorkerStage, isolate: number) {
  const index = stage.upstream.calls.length;
  const client: RawClient = await stage.open(asking(), isolate);
  const call = await stage.upstream.call(index);
  call.sse();
  call.write(streamHead({ input_tokens: 5, output_tokens: 1 }));
  await client.body('the first text arrives', (text) => text.includes('Hello'));
  return { client, call };
}
