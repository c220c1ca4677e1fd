import { describe, expect, it } from 'vitest';
import { message } from '../support/claude-answers.ts';
import { eventually } from '../support/eventually.ts';
import { ACME_KEY, asking, GLOBEX_KEY, managed, passThrough, UPSTREAM_KEY, useStage, type Stage } from '../support/gateway-under-test.ts'; // prettier-ignore
import { batchText, overBoth, resultsText, serveObjects, useUpstreamElsewhere } from '../support/object-workspace.ts';
import { requestBytes, type RawResponse } from '../support/raw-client.ts';

/** All tenants of an upstream share its workspace: what is whose is the gateway's to know. */

const start = useStage();
const startElsewhere = useUpstreamElsewhere();
const BATCHES = '/v1/messages/batches';
const HERE = 'http://gateway.test';

async function create(stage: Stage, key = ACME_KEY): Promise<string> {
  const response = await stage.ask(asking({ target: BATCHES, body: '{"requests":[]}' }, key));
  return (response.json() as { id: string }).id;
}

const get = (stage: Stage, target: string, key = ACME_KEY): Promise<RawResponse> =>
  stage.ask(asking({ method: 'GET', target, body: '' }, key));

/** What of an answer may tell one object from another: all but the ids that every answer has. */
function tellingOf({ status, headers, text }: RawResponse): object {
  const { date: _date, 'x-slipstream-id': id = '', ...rest } = headers;
  return { status, rest, text: text.replaceAll(id, 'ID') };
}

describe('a batch', () => {
  it('is made upstream with the operator’s key, from the caller’s own bytes and betas', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const body = `{"requests": [{"custom_id":"a","params":{"x":1.0,"x":2}}]}`;
    const headers = { 'anthropic-beta': 'output-300k-2026-03-24', 'anthropic-version': '2026-10-21' };
    const response = await stage.ask(asking({ target: `${BATCHES}?beta=true`, body, headers }));
    expect(response.status).toBe(200);
    const call = await stage.upstream.call(0);
    expect(call).toMatchObject({ method: 'POST', target: `${BATCHES}?beta=true` });
    expect(call.body.toString()).toBe(body);
    expect(call.headers).toMatchObject({ ...headers, authorization: `Bearer ${UPSTREAM_KEY}` });
  });

  it('tells its caller to fetch the results here, and nothing else in its bytes changes', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const made = await stage.ask(asking({ target: BATCHES, body: '{}' }));
    const expected = batchText('msgbatch_w01', `${HERE}${BATCHES}/msgbatch_w01/results`);
    expect(made.text).toBe(expected);
    expect(made.headers['content-length'] ?? String(expected.length)).toBe(String(Buffer.byteLength(expected)));
    expect((await get(stage, `${BATCHES}/msgbatch_w01`)).text).toBe(expected);
    const cancelled = await stage.ask(asking({ target: `${BATCHES}/msgbatch_w01/cancel`, body: '' }));
    expect(cancelled.text).toBe(expected);
  });

  it('is led to where proxies say that its caller has asked', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const id = await create(stage);
    const resultsUrl = async (headers: Record<string, string>): Promise<unknown> => {
      const asked = asking({ method: 'GET', target: `${BATCHES}/${id}`, body: '', headers });
      return ((await stage.ask(asked)).json() as { results_url: string }).results_url;
    };
    const path = `${BATCHES}/${id}/results`;
    expect(await resultsUrl({ 'x-forwarded-proto': 'https' })).toBe(`https://gateway.test${path}`);
    const both = { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'claude.example:8443, inner' };
    expect(await resultsUrl(both)).toBe(`https://claude.example:8443${path}`);
    const odd = { 'x-forwarded-proto': 'javascript', 'x-forwarded-host': 'a.test/"x' };
    expect(await resultsUrl(odd)).toBe(`${HERE}${path}`);
  });

  it('gives its results as they come, to its own tenant', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const id = await create(stage);
    const { client, call } = await (async () => {
      stage.upstream.script = () => {};
      return stage.open(asking({ method: 'GET', target: `${BATCHES}/${id}/results`, body: '' }));
    })();
    call.head(200, { 'content-type': 'application/binary' });
    call.write('{"custom_id":"a"}\n');
    await client.body('the first result has come', (text) => text === '{"custom_id":"a"}\n');
    call.write('{"custom_id":"b"}\n');
    call.end();
    expect(await client.response()).toMatchObject({ text: '{"custom_id":"a"}\n{"custom_id":"b"}\n', ending: 'whole' });
  });

  it.each([
    ['GET', ''],
    ['GET', '/results'],
    ['POST', '/cancel'],
    ['DELETE', ''],
  ])(
    'of another tenant is to %s %s what one that never was is: 404, without asking the upstream',
    async (method, part) => {
      const stage = await start();
      serveObjects(stage.upstream);
      const id = await create(stage, GLOBEX_KEY);
      const ask = (target: string): Promise<RawResponse> =>
        stage.ask(asking({ method, target: `${BATCHES}/${target}${part}`, body: '' }));
      const theirs = await ask(id);
      const nobodys = await ask('msgbatch_w99');
      expect(theirs.status).toBe(404);
      expect(theirs.json()).toMatchObject({
        type: 'error',
        error: { type: 'not_found_error', message: `Message batch not found: ${id}` },
      });
      expect(tellingOf(theirs)).toEqual(JSON.parse(JSON.stringify(tellingOf(nobodys)).replaceAll('msgbatch_w99', id)));
      expect(stage.upstream.calls).toHaveLength(1);
    },
  );

  it('that has been deleted is gone for its tenant, and was deleted once', async () => {
    const stage = await start();
    const workspace = serveObjects(stage.upstream);
    const id = await create(stage);
    expect((await stage.ask(asking({ method: 'DELETE', target: `${BATCHES}/${id}`, body: '' }))).status).toBe(200);
    expect(workspace.has(id)).toBe(false);
    expect((await get(stage, `${BATCHES}/${id}`)).status).toBe(404);
    expect(stage.upstream.calls).toHaveLength(2);
  });

  it('that the upstream does not find is told in the upstream’s words, and is asked for again the next time', async () => {
    const stage = await start();
    const workspace = serveObjects(stage.upstream);
    const id = await create(stage);
    workspace.remove(id);
    expect((await get(stage, `${BATCHES}/${id}`)).text).toContain('upstream: ');
    expect((await get(stage, `${BATCHES}/${id}`)).text).toContain('upstream: ');
  });

  it('that the upstream refuses is nobody’s, and the refusal passes', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(400, { type: 'error', error: { type: 'invalid_request_error' } });
    expect((await stage.ask(asking({ target: BATCHES, body: '{}' }))).status).toBe(400);
    expect((await get(stage, BATCHES)).json()).toMatchObject({ data: [], has_more: false });
  });
});

describe('the list of batches', () => {
  it('has a tenant’s own, the newest first, with their results here, and none of anybody else’s', async () => {
    const stage = await start();
    const workspace = serveObjects(stage.upstream);
    const first = await create(stage);
    workspace.add('batches');
    await create(stage, GLOBEX_KEY);
    const last = await create(stage);
    const response = await get(stage, BATCHES);
    const shown = [last, first].map((id) => batchText(id, `${HERE}${BATCHES}/${id}/results`)).join(',');
    expect(response.text).toBe(`{"data":[${shown}],"has_more":false,"first_id":"${last}","last_id":"${first}"}`);
    expect(response.headers['content-type']).toBe('application/json');
  });

  it('asked for by HEAD has the length that it has by GET', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    await create(stage);
    await create(stage);
    const { text } = await get(stage, BATCHES);
    const client = await stage.connect();
    client.send(requestBytes(asking({ method: 'HEAD', target: BATCHES, body: '' })));
    expect((await client.head()).headers['content-length']).toBe(String(Buffer.byteLength(text)));
  });

  it('comes in pages, forwards by after_id and backwards by before_id', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const ids: string[] = [];
    for (let made = 0; made < 5; made++) ids.unshift(await create(stage));
    const page = async (query: string): Promise<unknown> => {
      const list = (await get(stage, `${BATCHES}?limit=2${query}`)).json() as { data: { id: string }[] };
      return { ...list, data: list.data.map(({ id }) => ids.indexOf(id)) };
    };
    expect(await page('')).toEqual({ data: [0, 1], has_more: true, first_id: ids[0], last_id: ids[1] });
    expect(await page(`&after_id=${ids[1]}`)).toMatchObject({ data: [2, 3], has_more: true });
    expect(await page(`&after_id=${ids[3]}`)).toMatchObject({ data: [4], has_more: false });
    expect(await page(`&before_id=${ids[3]}`)).toMatchObject({ data: [1, 2], has_more: true });
    expect(await page(`&before_id=${ids[1]}`)).toMatchObject({ data: [0], has_more: false });
    expect(await page(`&after_id=${ids[4]}`)).toEqual({ data: [], has_more: false, first_id: null, last_id: null });
  });

  it('cannot be gone on with from another tenant’s batch', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    await create(stage);
    const theirs = await create(stage, GLOBEX_KEY);
    expect((await get(stage, `${BATCHES}?after_id=${theirs}`)).status).toBe(404);
    expect((await get(stage, `${BATCHES}?after_id=msgbatch_w99`)).status).toBe(404);
  });

  it('leaves out what the upstream no longer has, and fills the page', async () => {
    const stage = await start();
    const workspace = serveObjects(stage.upstream);
    const ids: string[] = [];
    for (let made = 0; made < 4; made++) ids.unshift(await create(stage));
    workspace.remove(ids[1] ?? '');
    const list = (await get(stage, `${BATCHES}?limit=2`)).json() as { data: { id: string }[] };
    expect(list).toMatchObject({ data: [{ id: ids[0] }, { id: ids[2] }], has_more: true, last_id: ids[2] });
  });

  it('is the upstream’s error where it answers with one', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    await create(stage);
    stage.upstream.script = (call) => call.answer(529, { type: 'error', error: { type: 'overloaded_error' } });
    const response = await get(stage, BATCHES);
    expect(response).toMatchObject({ status: 529, ending: 'whole' });
    expect(response.json()).toMatchObject({ error: { type: 'overloaded_error' } });
  });

  it('counts as one request, of batches, whatever it takes', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    await create(stage);
    await create(stage);
    await get(stage, BATCHES);
    expect(await stage.record(2)).toMatchObject({ operation: 'batches', tenant: 'acme', status: 200, end: 'complete' });
    const metrics = await stage.metrics();
    expect(metrics.sum('slipstream_requests_total', { operation: 'batches', status: '200' })).toBe(3);
    expect(metrics.sum('slipstream_upstream_attempts_total', { outcome: 'ok' })).toBe(4);
  });
});

describe('a call for batches', () => {
  it('takes no slot: it is answered while all of the tenant’s are held', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1, queue: { max: 0 }') });
    const { call } = await stage.open();
    serveObjects(stage.upstream);
    expect(await create(stage)).toBe('msgbatch_w01');
    call.reset();
  });

  it('that makes one is refused when the budget is spent; what is there can still be fetched', async () => {
    const stage = await start({ settings: managed('budget: { usd: 0.0001, per: month }') });
    serveObjects(stage.upstream);
    const id = await create(stage);
    const serve = stage.upstream.script;
    stage.upstream.script = (call) => call.answer(200, message({ input_tokens: 1_000, output_tokens: 1_000 }));
    await stage.ask(asking());
    stage.upstream.script = serve;
    expect((await stage.ask(asking({ target: BATCHES, body: '{}' }))).status).toBe(402);
    expect((await get(stage, `${BATCHES}/${id}`)).status).toBe(200);
  });

  it.each([
    ['GET', '', 2],
    ['POST', '/cancel', 1],
    ['DELETE', '', 1],
  ])('%s %s that fails is made %s times: what may have been done is not done again', async (method, part, calls) => {
    const stage = await start({ settings: managed('', '', 1) });
    serveObjects(stage.upstream);
    const target = `${BATCHES}/${await create(stage)}${part}`;
    stage.upstream.script = (call) => call.answer(529, {}, { 'retry-after': '0' });
    expect((await stage.ask(asking({ method, target, body: '' }))).status).toBe(529);
    expect(stage.upstream.calls).toHaveLength(1 + calls);
  });

  it('that breaks off while a batch is made is not made again', async () => {
    const stage = await start({ settings: managed('', '', 4) });
    stage.upstream.script = (call) => call.reset();
    expect((await stage.ask(asking({ target: BATCHES, body: '{}' }))).status).toBe(502);
    expect(stage.upstream.calls).toHaveLength(1);
  });

  it('whose caller leaves before the head ends upstream', async () => {
    const stage = await start();
    const { client, call } = await stage.open(asking({ target: BATCHES, body: '{}' }));
    client.reset();
    expect(await stage.record(0)).toMatchObject({ status: 499, end: 'client_abort', operation: 'batches' });
    expect(call.state).not.toBe('answered');
  });

  it('whose caller leaves while others are asked for its list ends upstream', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    await create(stage);
    stage.upstream.script = () => {};
    const { client } = await stage.open(asking({ method: 'GET', target: BATCHES, body: '' }));
    client.reset();
    expect(await stage.record(1)).toMatchObject({ status: 499, end: 'client_abort' });
  });

  it('with another method is refused with the methods there are', async () => {
    const stage = await start();
    const refused = async (method: string, target: string): Promise<unknown> => {
      const { status, headers } = await stage.ask(asking({ method, target, body: '' }));
      return [status, headers['allow']];
    };
    expect(await refused('PUT', BATCHES)).toEqual([405, 'POST, GET']);
    expect(await refused('PATCH', `${BATCHES}/msgbatch_1`)).toEqual([405, 'GET, DELETE']);
    expect(await refused('GET', `${BATCHES}/msgbatch_1/cancel`)).toEqual([405, 'POST']);
  });

  it.each([
    `${BATCHES}/%2e%2e`,
    `${BATCHES}/..%2f..%2forganizations`,
    `${BATCHES}/msgbatch_w01/elsewhere`,
    `${BATCHES}/msgbatch_w01%2fresults`,
  ])('to %s reaches nothing', async (target) => {
    const stage = await start();
    serveObjects(stage.upstream);
    await create(stage);
    expect((await get(stage, target)).status).toBe(404);
    expect(stage.upstream.calls).toHaveLength(1);
  });

  it('goes to the upstream that has the batch, however many serve the tenant', async () => {
    const elsewhere = await startElsewhere();
    const stage = await start({ settings: overBoth(elsewhere) });
    serveObjects(stage.upstream, 'one');
    serveObjects(elsewhere, 'two');
    const ids = [await create(stage), await create(stage, GLOBEX_KEY)];
    expect(ids).toEqual(['msgbatch_one01', 'msgbatch_two01']);
    for (let time = 0; time < 3; time++) {
      expect((await get(stage, `${BATCHES}/${ids[0]}`)).status).toBe(200);
      expect((await get(stage, `${BATCHES}/${ids[1]}/results`, GLOBEX_KEY)).text).toBe(resultsText('msgbatch_two01'));
    }
    stage.upstream.script = (call) => call.answer(529, {}, { 'retry-after': '0' });
    expect((await get(stage, `${BATCHES}/${ids[0]}`)).status).toBe(529);
    expect(elsewhere.calls.filter(({ target }) => target.includes('one'))).toEqual([]);
  });
});

describe('the body of a batch', () => {
  it('is passed on while it arrives', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const client = await stage.connect();
    client.send(requestBytes(asking({ target: BATCHES, headers: { 'content-length': '10' }, body: '{"a":' })));
    client.send('[1,2]');
    const call = await stage.upstream.call(0);
    expect(call.body.toString()).toBe('{"a":[1,2]');
    expect((await client.response()).status).toBe(200);
  });

  it('of more than 256 MiB is refused by what it announces', async () => {
    const stage = await start();
    const client = await stage.connect();
    const headers = { 'content-length': String(256 * 1024 * 1024 + 1) };
    client.send(requestBytes(asking({ target: BATCHES, headers, body: '{' })));
    expect((await client.head()).status).toBe(413);
    expect(stage.upstream.calls).toHaveLength(0);
  });

  it.each(['cancel', 'drain'])(
    'whose caller leaves in the middle is no fault of the upstream; hangUp: %s',
    async (hangUp) => {
      const stage = await start({ settings: managed(`hangUp: ${hangUp}`) });
      const client = await stage.connect();
      client.send(requestBytes(asking({ target: BATCHES, headers: { 'content-length': '10' }, body: '{"a":' })));
      await eventually('the upload has begun', 10_000, () => stage.upstream.calls.length === 1);
      client.reset();
      expect(await stage.record(0)).toMatchObject({ status: 499, end: 'client_abort' });
      const metrics = await stage.metrics();
      expect(metrics.sum('slipstream_upstream_attempts_total', { outcome: 'client_abort' })).toBe(1);
      expect(metrics.sum('slipstream_upstream_attempts_total')).toBe(1);
    },
  );

  it('that stands still is given up, and the upstream never gets its end', async () => {
    const stage = await start({ settings: managed('', 'headersTimeout: 200ms') });
    const client = await stage.connect();
    client.send(requestBytes(asking({ target: BATCHES, headers: { 'content-length': '10' }, body: '{"a":' })));
    expect((await client.head()).status).toBe(408);
    expect(stage.upstream.calls.filter(({ bodyIsWhole }) => bodyIsWhole)).toEqual([]);
  });
});

describe('in pass-through mode', () => {
  it('batches go to the upstream with the caller’s own key, whoever made them, and their results are here', async () => {
    const stage = await start({ settings: passThrough() });
    const workspace = serveObjects(stage.upstream);
    const id = workspace.add('batches');
    const response = await get(stage, `${BATCHES}/${id}`, 'sk-ant-mine');
    expect(response.text).toBe(batchText(id, `${HERE}${BATCHES}/${id}/results`));
    expect((await stage.upstream.call(0)).headers['x-api-key']).toBe('sk-ant-mine');
    expect((await get(stage, `${BATCHES}/${id}/results`)).text).toBe(resultsText(id));
    expect((await stage.record(1)).operation).toBe('batches');
  });

  it('the upstream’s own list passes, with all results here', async () => {
    const stage = await start({ settings: passThrough() });
    const list = (url?: (id: string) => string): string =>
      `{"data" : [${['a', 'b'].map((id) => batchText(id, url?.(id))).join(' , ')}],"has_more":true,"x":[{"results_url":"no"}]}`;
    stage.upstream.script = (call) => call.answer(200, list());
    const response = await get(stage, `${BATCHES}?limit=2&after_id=x`);
    expect(response.text).toBe(list((id) => `${HERE}${BATCHES}/${id}/results`));
    expect((await stage.upstream.call(0)).target).toBe(`${BATCHES}?limit=2&after_id=x`);
  });

  it('a method that is none of ours is the upstream’s to judge', async () => {
    const stage = await start({ settings: passThrough() });
    stage.upstream.script = (call) => call.answer(405, {});
    expect((await stage.ask(asking({ method: 'PUT', target: BATCHES, body: '' }))).status).toBe(405);
    expect(stage.upstream.calls).toHaveLength(1);
  });
});
