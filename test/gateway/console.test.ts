import { describe, expect, it } from 'vitest';
import type { RequestRow, RequestStory, SavingsReport, Snapshot } from '../../src/console/contract.ts';
import { apiError, message, streamHead, streamTail, textDelta } from '../support/claude-answers.ts';
import { askConsole, CONSOLE_TOKEN, figures, look, newestSnapshot, withConsole } from '../support/console-client.ts';
import { eventually } from '../support/eventually.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { requestBytes } from '../support/raw-client.ts';
import { ACME_KEY, asking, GLOBEX_KEY, managed, STREAM_BODY, UPSTREAM_KEY, useStage, type Stage } from '../support/gateway-under-test.ts'; // prettier-ignore

/** What the console promises an operator, asked of a gateway that serves. */

const start = useStage();
const DEADLINE_MS = 10_000;

async function snapshot(stage: Stage): Promise<Snapshot> {
  const viewer = await look(stage);
  const seen = newestSnapshot(viewer.peek().body.toString());
  viewer.reset(); // what every runtime sees at once: there are places for 32 viewers
  return seen;
}

async function storyOf(stage: Stage, id: string | undefined): Promise<RequestStory> {
  return figures<RequestStory>(stage, `/requests/${id}`);
}

const kindsOf = ({ timeline }: RequestStory): string[] => timeline.map(({ kind }) => kind);
/** Without the gateway's own steps. Where slots are elsewhere, it takes a moment to be given one that is free. */
const stepsOf = (story: RequestStory): string[] =>
  kindsOf(story).filter((kind) => kind !== 'gateway' && kind !== 'queue');

describe('the console', () => {
  it('lists an exchange while it runs, with how far it is, and no longer', async () => {
    const stage = await start({ settings: withConsole() });
    const { client, call } = await stage.open();
    expect((await snapshot(stage)).live).toMatchObject([
      { tenant: 'acme', model: 'claude-sonnet-5', phase: 'upstream', upstream: 'main', cache: null, attempts: 1 },
    ]);
    call.sse();
    call.write(streamHead({ input_tokens: 1, cache_read_input_tokens: 99, output_tokens: 1 }));
    await client.head();
    for (let count = 0; count < 20; count++) call.write(textDelta('twenty bytes of text'));
    await client.body('the deltas', (text) => text.split('twenty').length > 20);
    const [running] = (await snapshot(stage)).live;
    expect(running).toMatchObject({ phase: 'streaming', cache: 'hit' });
    expect(running?.outputTokensEstimate).toBeGreaterThan(80);
    expect(running?.outputTokensEstimate).toBeLessThan(120);
    call.write(streamTail());
    call.end();
    await client.response();
    await stage.record(0);
    expect(await snapshot(stage)).toMatchObject({ live: [], liveCount: 0, totals: { requests: 1 } });
  });

  it('shows who waits, for what, and who holds the slots', async () => {
    const stage = await start({ settings: withConsole('maxConcurrency: 1') });
    await stage.open();
    const waiting = await stage.connect();
    waiting.send(requestBytes(asking()));
    await eventually('the second waits', DEADLINE_MS, async () => (await stage.slots()).get('acme')?.waiting === 1);
    const { live, tenants, upstreams } = await snapshot(stage);
    expect(live.map(({ phase }) => phase)).toEqual(['upstream', 'queue']);
    expect(tenants[0]).toMatchObject({ id: 'acme', inUse: 1, limit: 1, waiting: 1 });
    expect(upstreams).toMatchObject([{ id: 'main', inUse: 1, ceiling: 256, breaker: 'closed' }]);
  });

  it('tells a request’s story by the id that its caller was sent', async () => {
    const stage = await start({ settings: withConsole() });
    stage.upstream.script = (call) => (call.sse(), call.write(streamHead() + streamTail(7)), call.end());
    const { headers } = await stage.ask(asking());
    await stage.record(0);
    const story = await storyOf(stage, headers['x-slipstream-id']);
    expect(story).toMatchObject({ status: 200, end: 'complete', fault: null, tokens: { uncached: 12, output: 7 } });
    expect(story.calls).toMatchObject([{ upstream: 'main', outcome: 'ok', status: 200 }]);
    expect(stepsOf(story)).toEqual(['call', 'stream']);
    const sumMs = story.timeline.reduce((sum, { durationMs }) => sum + durationMs, 0);
    expect(sumMs).toBeCloseTo(story.durationMs, 1);
  });

  it('tells of a request that was asked again, with both calls and the pause between them', async () => {
    const clock = createFakeClock();
    const stage = await start({ clock, settings: withConsole('', '', 1) });
    const { client, call } = await stage.open();
    call.answer(529, apiError('overloaded_error'));
    await eventually('the retry is waited for', DEADLINE_MS, async () => {
      await clock.advance(250);
      return stage.upstream.calls.length === 2;
    });
    (await stage.upstream.call(1)).answer(200, message());
    const { headers } = await client.response();
    const story = await storyOf(stage, headers['x-slipstream-id']);
    expect(story.calls.map(({ outcome }) => outcome)).toEqual(['overloaded', 'ok']);
    expect(kindsOf(story)).toContain('pause');
  });

  it('shows who is held for another’s write, and tells so afterwards', async () => {
    const stage = await start({ settings: withConsole() });
    const text = 'a long and common prefix '.repeat(1_200);
    const system = [{ type: 'text', text, cache_control: { type: 'ephemeral' } }];
    const body = JSON.stringify({ ...(JSON.parse(STREAM_BODY) as object), system });
    const leader = await stage.open(asking({ body }));
    const follower = await stage.connect();
    follower.send(requestBytes(asking({ body })));
    await eventually('the second is held', DEADLINE_MS, async () => (await snapshot(stage)).live[1]?.phase === 'hold');
    stage.upstream.script = (call) => call.answer(200, message());
    leader.call.sse();
    leader.call.write(streamHead({ input_tokens: 1, cache_creation_input_tokens: 6_000, output_tokens: 1 }));
    const { headers } = await follower.response();
    const story = await storyOf(stage, headers['x-slipstream-id']);
    expect(stepsOf(story)).toEqual(['hold', 'call']);
  });

  it('lists refusals and callers that left, with whose fault it was', async () => {
    const stage = await start({ settings: withConsole('maxConcurrency: 1, queue: { max: 0 }') });
    const { client } = await stage.open();
    expect((await stage.ask(asking())).status).toBe(429);
    client.reset();
    await stage.record(1);
    const { requests } = await figures<{ requests: RequestRow[] }>(stage, '/requests');
    expect(requests).toMatchObject([
      { status: 499, end: 'client_abort', fault: 'caller', attempts: 1 },
      { status: 429, end: 'refused', fault: 'caller', attempts: 0 },
    ]);
    expect((await snapshot(stage)).totals).toMatchObject({ requests: 2, errors: 1 });
  });

  it('says what of its budget a tenant has spent', async () => {
    const stage = await start({ settings: withConsole('budget: { usd: 5, per: day }') });
    stage.upstream.script = (call) => call.answer(200, message({ input_tokens: 0, output_tokens: 1_000 }));
    await stage.ask(asking());
    await stage.record(0);
    const { tenants } = await snapshot(stage);
    expect(tenants.map(({ id, budget }) => [id, budget])).toEqual([
      ['acme', { usd: 5, per: 'day', spentUsd: 0.01 }],
      ['globex', null],
    ]);
  });

  it('has the savings of the metrics page, to the cent, for every tenant and model', async () => {
    const stage = await start({ settings: withConsole() });
    const usages = [
      { input_tokens: 900, cache_creation_input_tokens: 70_000, output_tokens: 3_000 },
      { input_tokens: 40, cache_read_input_tokens: 70_000, output_tokens: 9_000 },
    ];
    for (const [index, key] of [ACME_KEY, GLOBEX_KEY, ACME_KEY, ACME_KEY].entries()) {
      const model = index % 2 ? 'claude-opus-5' : 'claude-sonnet-5';
      stage.upstream.script = (call) => call.answer(200, message(usages[index % 2], model));
      await stage.ask(asking({ body: STREAM_BODY.replace('claude-sonnet-5', model) }, key));
    }
    await stage.record(3);
    const metrics = await stage.metrics();
    const saved = (labels: Readonly<Record<string, string>>): number =>
      metrics.sum('slipstream_saved_usd_total', labels);
    for (const by of ['tenant', 'model'] as const) {
      const { rows } = await figures<SavingsReport>(stage, `/savings?by=${by}`);
      expect(rows).toHaveLength(2);
      for (const { name, costUsd, savedUsd, tokens } of rows) {
        const labels = { [by]: name };
        expect(costUsd).toBeCloseTo(metrics.sum('slipstream_cost_usd_total', labels), 6);
        expect(savedUsd).toBeCloseTo(saved(labels), 6);
        expect(tokens.output).toBe(metrics.sum('slipstream_output_tokens_total', labels));
        expect(tokens.cacheRead).toBe(metrics.sum('slipstream_input_tokens_total', { ...labels, kind: 'cache_read' }));
      }
    }
    const { total } = await figures<SavingsReport>(stage, '/savings?by=day');
    expect(total.savedUsd).toBeCloseTo(saved({}), 6);
    const csv = (await askConsole(stage, '/api/savings.csv')).text.trim().split('\r\n');
    const column = csv[0]?.split(',').indexOf('cost (USD)') ?? -1;
    const costUsd = csv.slice(1).reduce((sum, line) => sum + Number(line.split(',')[column]), 0);
    expect(costUsd).toBeCloseTo(metrics.sum('slipstream_cost_usd_total'), 5);
  });

  it('is not there, page and all, without a token in the settings', async () => {
    const stage = await start({ settings: managed() });
    for (const path of ['', '/app.js', '/api/requests', '/api/live']) {
      const { status, text } = await askConsole(stage, path);
      expect([path, status]).toEqual([path, 404]);
      expect(text).toContain('set console.token');
    }
  });

  it('opens with a token that a reload has brought', async () => {
    const stage = await start({ settings: managed() });
    stage.reload(withConsole());
    expect((await askConsole(stage, '/api/requests')).status).toBe(200);
  });
});

describe('a viewer of the live figures', () => {
  it('sees them move', async () => {
    const clock = createFakeClock();
    const stage = await start({ clock, settings: withConsole() });
    stage.upstream.script = (call) => call.answer(200, message());
    const viewer = await look(stage);
    await stage.ask(asking());
    await stage.record(0);
    await clock.advance(2_000);
    const text = await viewer.body('the next snapshot', (sent) => sent.split('event: snapshot').length > 2);
    expect(text).toMatch(/^event: history\n/);
    expect(newestSnapshot(text).totals.requests).toBe(1);
  });

  it.each(['fin', 'reset'] as const)(
    'that leaves by %s leaves nothing behind, and no snapshot is taken',
    async (how) => {
      const clock = createFakeClock();
      const stage = await start({ clock, settings: withConsole() });
      const viewer = await look(stage);
      await eventually('a beat is due', DEADLINE_MS, () => clock.pending > 0);
      viewer[how]();
      await eventually('no beat is due', DEADLINE_MS, () => clock.pending === 0);
    },
  );

  it('does not hold up a process that goes away: it is told so, and its answer ends properly', async () => {
    const stage = await start({ settings: withConsole() });
    const viewer = await look(stage);
    stage.inProcess.gateway.startDraining();
    const { ending, text } = await viewer.response();
    expect([ending, newestSnapshot(text).gateway.state]).toEqual(['whole', 'draining']);
    expect((await askConsole(stage, '/api/live')).status).toBe(503);
    expect((await askConsole(stage, '/api/requests')).status).toBe(200);
  });
});

describe('whoever has the console’s token', () => {
  it('finds no prompt, no answer and no key, wherever they look', async () => {
    const planted = { prompt: 'planted-prompt-4be1', answer: 'planted-answer-93aa', header: 'planted-header-771c' };
    const stage = await start({ settings: withConsole() });
    const system = [planted.prompt, 'the rest'].map((text) => ({ type: 'text', text: `${text} `.repeat(600) }));
    const body = (text: string): string =>
      JSON.stringify({ model: 'claude-sonnet-5', system, stream: true, messages: [{ role: 'user', content: text }] });
    const answer = streamHead({ input_tokens: 1, cache_read_input_tokens: 4_000, output_tokens: 1 });
    stage.upstream.script = (call) => {
      call.sse();
      call.write(answer + textDelta(planted.answer) + streamTail());
      call.end();
    };
    for (const turn of ['first', planted.prompt]) {
      await stage.ask(asking({ body: body(turn), headers: { 'x-note': planted.header, traceparent: planted.header } }));
    }
    stage.upstream.script = (call) => call.answer(400, apiError('invalid_request_error', planted.answer));
    await stage.ask(asking({ body: body('refused') }));
    stage.upstream.script = (call) => (call.sse(), call.write(answer + textDelta(planted.answer)));
    await stage.open(asking({ body: body('open') }));
    await stage.record(2);
    const { requests } = await figures<{ requests: RequestRow[] }>(stage, '/requests');
    const paths = ['/requests', '/prefixes', '/volatile-prefixes', '/savings', '/savings.csv'];
    paths.push(...requests.map(({ id }) => `/requests/${id}`));
    const told = await Promise.all(paths.map(async (path) => (await askConsole(stage, `/api${path}`)).text));
    const viewer = await look(stage);
    const all = [...told, viewer.peek().body.toString(), (await askConsole(stage, '')).text].join('\n');
    expect(all).toContain('"phase":"streaming"');
    expect(all).toContain('"cacheRead":4000');
    const secrets = [...Object.values(planted), ACME_KEY, UPSTREAM_KEY, CONSOLE_TOKEN];
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
  });
});
