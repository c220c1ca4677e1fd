import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { event, message, messageStart, streamTail } from '../support/claude-answers.ts';
import { eventually } from '../support/eventually.ts';
import { ACME_KEY, asking, GLOBEX_KEY, managed, passThrough, UPSTREAM_KEY, useStage, type Stage } from '../support/gateway-under-test.ts'; // prettier-ignore
import { fileText, overBoth, resultsText, serveObjects, useUpstreamElsewhere } from '../support/object-workspace.ts';
import { requestBytes, type RawClient, type RawResponse } from '../support/raw-client.ts';

/** A file belongs to the tenant that has uploaded it: to look at, to delete, and to be read by Claude. */

const start = useStage();
const startElsewhere = useUpstreamElsewhere();
const FILES = '/v1/files';
const MULTIPART = { 'content-type': 'multipart/form-data; boundary=x' };
const PDF = Buffer.from(
  '--x\r\ncontent-disposition: form-data; name="file"; filename="caf\u00e9.pdf"\r\n\r\n\0\xff\r\n--x--\r\n',
  'latin1',
);

async function upload(stage: Stage, key = ACME_KEY): Promise<string> {
  const response = await stage.ask(asking({ target: FILES, headers: MULTIPART, body: PDF }, key));
  return (response.json() as { id: string }).id;
}

const get = (stage: Stage, target: string, key = ACME_KEY): Promise<RawResponse> =>
  stage.ask(asking({ method: 'GET', target, body: '' }, key));

/** A prompt with blocks of one user message. */
function prompt(...content: object[]): string {
  return JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 9, messages: [{ role: 'user', content }] });
}

const document = (file_id: string): object => ({ type: 'document', source: { type: 'file', file_id } });

describe('a file', () => {
  it('is uploaded byte for byte, with its headers, and the operator’s key', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const headers = { ...MULTIPART, 'anthropic-beta': 'files-api-2025-04-14' };
    const response = await stage.ask(asking({ target: FILES, headers, body: PDF }));
    expect(response.text).toBe(fileText('file_w01'));
    const call = await stage.upstream.call(0);
    expect(call.body.equals(PDF)).toBe(true);
    const length = { 'content-length': String(PDF.length) };
    expect(call.headers).toMatchObject({ ...headers, ...length, authorization: `Bearer ${UPSTREAM_KEY}` });
  });

  it('is seen, downloaded and deleted by its tenant', async () => {
    const stage = await start();
    const workspace = serveObjects(stage.upstream);
    const id = await upload(stage);
    expect((await get(stage, `${FILES}/${id}`)).text).toBe(fileText(id));
    expect((await get(stage, `${FILES}/${id}/content`)).text).toBe(resultsText(id));
    expect((await stage.ask(asking({ method: 'DELETE', target: `${FILES}/${id}`, body: '' }))).status).toBe(200);
    expect(workspace.has(id)).toBe(false);
    expect((await get(stage, `${FILES}/${id}`)).json()).toMatchObject({
      error: { type: 'not_found_error', message: `File not found: ${id}` },
    });
  });

  it.each([
    ['GET', ''],
    ['GET', '/content'],
    ['DELETE', ''],
  ])('of another tenant, or of nobody that is known, is not there for %s %s', async (method, part) => {
    const stage = await start();
    const workspace = serveObjects(stage.upstream);
    for (const id of [await upload(stage, GLOBEX_KEY), workspace.add('files'), 'file_w99']) {
      const response = await stage.ask(asking({ method, target: `${FILES}/${id}${part}`, body: '' }));
      expect(response.json()).toMatchObject({ error: { message: `File not found: ${id}` } });
    }
    expect(stage.upstream.calls).toHaveLength(1);
  });

  const UNFINISHED_BYTES = 4 * 1024 * 1024;
  async function refuseUnfinished(stage: Stage): Promise<{ client: RawClient; refused: RawResponse }> {
    const client = await stage.connect();
    const headers = { ...MULTIPART, 'content-length': String(UNFINISHED_BYTES) };
    client.send(requestBytes(asking({ target: FILES, headers, body: '-' })));
    await eventually('the upload has begun', 10_000, () => stage.upstream.calls.length === 1);
    stage.upstream.calls[0]?.answer(413, { type: 'error', error: { type: 'request_too_large' } });
    return { client, refused: await client.response() };
  }

  it('that the upstream refuses before it is whole is refused in the upstream’s words', async () => {
    const stage = await start();
    const { refused } = await refuseUnfinished(stage);
    expect(refused).toMatchObject({ status: 413, ending: 'whole' });
    expect(refused.json()).toMatchObject({ error: { type: 'request_too_large' } });
  });

  it('that was refused so leaves its connection to the next request, when the rest has come', async () => {
    const stage = await start();
    const { client } = await refuseUnfinished(stage);
    client.send(Buffer.alloc(UNFINISHED_BYTES - 1));
    stage.upstream.script = (call) => call.answer(200, { data: [] });
    client.send(requestBytes(asking({ method: 'GET', target: '/v1/models', body: '' })));
    expect((await client.response()).status).toBe(200);
  });

  it('of 40 MB whose caller asks first is told to come', async () => {
    const stage = await start();
    const client = await stage.connect();
    const headers = { ...MULTIPART, expect: '100-continue', 'content-length': '40000000' };
    client.send(requestBytes(asking({ target: FILES, headers })));
    await eventually('it is told to go on', 10_000, () => client.received.includes('HTTP/1.1 100 Continue'));
  });

  it('of more than 500 MB is refused by what it announces', async () => {
    const stage = await start();
    const client = await stage.connect();
    client.send(
      requestBytes(asking({ target: FILES, headers: { ...MULTIPART, 'content-length': '500000001' }, body: '-' })),
    );
    expect((await client.head()).status).toBe(413);
    expect(stage.upstream.calls).toHaveLength(0);
  });
});

describe('the list of files', () => {
  it('has a tenant’s own, for clients of either form of it', async () => {
    const stage = await start();
    const workspace = serveObjects(stage.upstream);
    const ids: string[] = [];
    for (let made = 0; made < 3; made++) {
      ids.unshift(await upload(stage));
      await upload(stage, GLOBEX_KEY);
      workspace.add('files');
    }
    const [newest = '', middle = '', oldest = ''] = ids;
    expect((await get(stage, `${FILES}?limit=2`)).text).toBe(
      `{"data":[${fileText(newest)},${fileText(middle)}],"has_more":true,"first_id":"${newest}","last_id":"${middle}","next_page":"${middle}"}`,
    );
    for (const next of [`page=${middle}`, `after_id=${middle}`]) {
      expect((await get(stage, `${FILES}?limit=2&${next}`)).json()).toMatchObject({
        data: [{ id: oldest }],
        has_more: false,
        next_page: null,
      });
    }
  });

  it('by ids has those of them that are the tenant’s, and is silent about others', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const [mine, theirs] = [await upload(stage), await upload(stage, GLOBEX_KEY)];
    for (const query of [`ids=${theirs}&ids=${mine}&ids=file_w99`, `ids[]=${theirs},${mine}`]) {
      const list = (await get(stage, `${FILES}?${query}`)).json();
      expect(list).toMatchObject({ data: [{ id: mine }], has_more: false, next_page: null });
    }
  });

  it('forgets files that the upstream no longer has', async () => {
    const stage = await start();
    const workspace = serveObjects(stage.upstream);
    const [first, second] = [await upload(stage), await upload(stage)];
    workspace.remove(second);
    expect((await get(stage, FILES)).json()).toMatchObject({ data: [{ id: first }], has_more: false });
    expect(stage.upstream.calls).toHaveLength(4);
    expect((await get(stage, FILES)).json()).toMatchObject({ data: [{ id: first }] });
    expect(stage.upstream.calls).toHaveLength(5);
  });

  it('is an error where a 404 is not the API’s own, and nothing is forgotten for it', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const serve = stage.upstream.script;
    const id = await upload(stage);
    stage.upstream.script = (call) => call.answer(404, '<h1>no such route</h1>', { 'content-type': 'text/html' });
    expect((await get(stage, FILES)).status).toBe(404);
    stage.upstream.script = serve;
    expect((await get(stage, FILES)).json()).toMatchObject({ data: [{ id }] });
  });

  it('asks for each file as it was asked for itself: with its betas, and with ?beta=true', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const id = await upload(stage);
    const headers = { 'anthropic-beta': 'files-api-2025-04-14', 'anthropic-version': '2023-06-01' };
    await stage.ask(asking({ method: 'GET', target: `${FILES}?beta=true&limit=1`, headers, body: '' }));
    const call = await stage.upstream.call(1);
    expect(call).toMatchObject({ method: 'GET', target: `${FILES}/${id}?beta=true` });
    expect(call.headers).toMatchObject(headers);
  });
});

describe('a message that names a file', () => {
  const names: Record<string, (id: string) => string> = {
    'a document': (id) => prompt(document(id)),
    'a picture': (id) => prompt({ type: 'image', source: { type: 'file', file_id: id } }),
    'an upload to a container': (id) => prompt({ type: 'container_upload', file_id: id }),
    'a tool’s result': (id) => prompt({ type: 'tool_result', tool_use_id: 'a', content: [document(id)] }),
    'what a document is made of': (id) => {
      const content = [{ type: 'image', source: { type: 'file', file_id: id } }];
      return prompt({ type: 'document', source: { type: 'content', content } });
    },
    'a page that was fetched': (id) => {
      const content = { type: 'web_fetch_result', url: 'https://a.test', content: document(id) };
      return prompt({ type: 'web_fetch_tool_result', tool_use_id: 'a', content });
    },
    'a block that is not known yet': (id) => prompt({ type: 'later', parts: { first: [{ of: document(id) }] } }),
    'escaped names': (id) =>
      prompt(document(id))
        .replace('"file_id"', String.raw`"fil\u0065_id"`)
        .replace('"source"', String.raw`"\u0073ource"`),
  };

  it.each(Object.entries(names))('as %s reaches the upstream when the file is the tenant’s own', async (_as, body) => {
    const stage = await start();
    serveObjects(stage.upstream);
    const id = await upload(stage);
    stage.upstream.script = (call) => call.answer(200, message());
    expect((await stage.ask(asking({ body: body(id) }))).status).toBe(200);
  });

  it.each(Object.entries(names))('as %s is refused when it is not, as if it were not there', async (_as, body) => {
    const stage = await start();
    serveObjects(stage.upstream);
    const id = await upload(stage, GLOBEX_KEY);
    for (const target of ['/v1/messages', '/v1/messages/count_tokens']) {
      const response = await stage.ask(asking({ target, body: body(id) }));
      expect(response.status).toBe(404);
      expect(response.json()).toMatchObject({
        error: { type: 'not_found_error', message: `File not found: ${id}` },
      });
    }
    expect(stage.upstream.calls).toHaveLength(1);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('is looked through in %s, too', async (encoding, pack) => {
    const stage = await start();
    serveObjects(stage.upstream);
    const [mine, theirs] = [await upload(stage), await upload(stage, GLOBEX_KEY)];
    stage.upstream.script = (call) => call.answer(200, message());
    const send = (id: string): Promise<RawResponse> =>
      stage.ask(asking({ body: pack(prompt(document(id))), headers: { 'content-encoding': encoding } }));
    expect((await send(theirs)).json()).toMatchObject({ error: { message: `File not found: ${theirs}` } });
    expect((await send(mine)).status).toBe(200);
    expect((await stage.upstream.call(2)).body.equals(pack(prompt(document(mine))))).toBe(true);
  });

  it.each([
    ['in an encoding that is not read here', 'br', brotliCompressSync('{}')],
    ['in two', 'gzip, gzip', gzipSync(gzipSync('{}'))],
    ['that is none', 'gzip', Buffer.from('{}')],
    ['that goes on behind its end', 'gzip', Buffer.concat([gzipSync('{}'), Buffer.from('{}')])],
    ['of UTF-16', 'gzip', gzipSync(Buffer.from('{}', 'utf16le'))],
    ['of more than 32 MiB', 'gzip', gzipSync(Buffer.alloc(32 * 1024 * 1024 + 1, ' '))],
  ])('might be in a compressed body %s, which is refused', async (_what, encoding, body) => {
    const stage = await start();
    const response = await stage.ask(asking({ body, headers: { 'content-encoding': encoding } }));
    expect(response.status).toBe(415);
    expect(stage.upstream.calls).toHaveLength(0);
  });

  it('of its own and one of another tenant is refused', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const [mine, theirs] = [await upload(stage), await upload(stage, GLOBEX_KEY)];
    expect((await stage.ask(asking({ body: prompt(document(mine), document(theirs)) }))).status).toBe(404);
  });

  it('only in passing is none: what a tool has made or is called with is told, not read', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    const made = { type: 'code_execution_output', file_id: 'file_made' };
    const messages = [
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'a', name: 'n', input: { source: { type: 'file', file_id: 'file_argument' } } },
          { type: 'code_execution_tool_result', tool_use_id: 'b', content: { content: [made] } },
          { type: 'text', text: 'x', citations: [{ type: 'char_location', file_id: 'file_cited' }] },
        ],
      },
      { role: 'user', content: [{ type: 'text', text: '{"source":{"type":"file","file_id":"file_quoted"}}' }] },
    ];
    const body = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 9, container: 'c_1', messages });
    expect((await stage.ask(asking({ body }))).status).toBe(200);
  });

  it('goes to the workspace that has it', async () => {
    const elsewhere = await startElsewhere();
    const stage = await start({ settings: overBoth(elsewhere) });
    serveObjects(elsewhere);
    const id = await upload(stage, GLOBEX_KEY);
    elsewhere.script = (call) => call.answer(200, message());
    stage.upstream.script = (call) => call.answer(200, message());
    for (let time = 0; time < 4; time++) {
      await stage.ask(asking({ body: prompt(document(id), { text: `${time}` }) }, GLOBEX_KEY));
    }
    expect(stage.upstream.calls).toHaveLength(0);
    expect(elsewhere.calls).toHaveLength(5);
  });

  it('is the upstream’s to judge in pass-through mode', async () => {
    const stage = await start({ settings: passThrough() });
    stage.upstream.script = (call) => call.answer(200, message());
    expect((await stage.ask(asking({ body: prompt(document('file_any')) }))).status).toBe(200);
  });
});

describe('a file that Claude’s code has made', () => {
  const tools = [{ type: 'code_execution_20250825', name: 'code_execution' }];
  const body = (stream: boolean): string =>
    JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 9, stream, tools, messages: [] });
  const made = (file_id: string): object => ({
    type: 'bash_code_execution_tool_result',
    content: { type: 'bash_code_execution_result', content: [{ type: 'bash_code_execution_output', file_id }] },
  });

  it.each([true, false])('is its tenant’s when the answer that tells of it is over; streamed: %s', async (isStream) => {
    const stage = await start();
    const id = serveObjects(stage.upstream).add('files');
    const serve = stage.upstream.script;
    stage.upstream.script = (call) => {
      if (!isStream) return call.answer(200, { ...message(), content: [made(id)] });
      call.sse();
      const block = event('content_block_start', { index: 0, content_block: made(id) });
      for (const byte of messageStart() + block + streamTail()) call.write(byte);
      return call.end();
    };
    expect((await stage.ask(asking({ body: body(isStream) }))).status).toBe(200);
    stage.upstream.script = serve;
    expect((await get(stage, `${FILES}/${id}/content`)).text).toBe(resultsText(id));
    expect((await get(stage, `${FILES}/${id}/content`, GLOBEX_KEY)).status).toBe(404);
  });

  it('in a batch is its tenant’s when the results have been read', async () => {
    const stage = await start();
    const workspace = serveObjects(stage.upstream);
    const id = workspace.add('files');
    const serve = stage.upstream.script;
    const batch = (await stage.ask(asking({ target: '/v1/messages/batches', body: '{}' }))).json() as { id: string };
    const result = JSON.stringify({ result: { type: 'succeeded', message: { content: [made(id)] } } });
    stage.upstream.script = (call) => call.answer(200, `{"custom_id":"a"}\n${result}\n`);
    await get(stage, `/v1/messages/batches/${batch.id}/results`);
    stage.upstream.script = serve;
    expect((await get(stage, `${FILES}/${id}`)).text).toBe(fileText(id));
  });

  it('is nobody’s when only somebody’s prompt or Claude’s arguments tell of it', async () => {
    const stage = await start();
    const id = serveObjects(stage.upstream).add('files');
    const content = [
      { type: 'text', text: JSON.stringify(made(id)) },
      { type: 'tool_use', input: made(id) },
    ];
    stage.upstream.script = (call) => call.answer(200, { ...message(), content });
    await stage.ask(asking({ body: body(false) }));
    expect((await get(stage, `${FILES}/${id}`)).status).toBe(404);
  });
});

describe('a batch that names a file', () => {
  const batch = (id: string): string =>
    JSON.stringify({ requests: [{ custom_id: 'a', params: JSON.parse(prompt(document(id))) }] });

  it('is made when the file is the tenant’s own', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const id = await upload(stage);
    const response = await stage.ask(asking({ target: '/v1/messages/batches', body: batch(id) }));
    expect(response.status).toBe(200);
  });

  it('of another tenant is not: the upstream never gets the end of it', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const id = await upload(stage, GLOBEX_KEY);
    const body = batch(id) + ' '.repeat(200_000);
    const response = await stage.ask(asking({ target: '/v1/messages/batches', body }));
    expect(response.json()).toMatchObject({ error: { message: `File not found: ${id}` } });
    expect(stage.upstream.calls.slice(1).filter(({ bodyIsWhole }) => bodyIsWhole)).toEqual([]);
    expect(await stage.record(1)).toMatchObject({ operation: 'batches', status: 404 });
  });
});

describe('a batch whose prompts cannot be read', () => {
  const BATCH = '{"requests":[]}';
  it.each([
    ['compressed', 415, gzipSync(BATCH), { 'content-encoding': 'gzip' }],
    ['in UTF-16', 400, Buffer.from(BATCH, 'utf16le'), {}],
  ])('because it is %s is refused, and the upstream never gets its end', async (_why, status, body, headers) => {
    const stage = await start();
    serveObjects(stage.upstream);
    const target = '/v1/messages/batches';
    expect((await stage.ask(asking({ target, body, headers }))).status).toBe(status);
    expect(stage.upstream.calls.filter(({ bodyIsWhole }) => bodyIsWhole)).toEqual([]);
  });

  it('is the upstream’s to judge in pass-through mode', async () => {
    const stage = await start({ settings: passThrough() });
    serveObjects(stage.upstream);
    const headers = { 'content-encoding': 'gzip' };
    const request = asking({ target: '/v1/messages/batches', body: gzipSync(BATCH), headers });
    expect((await stage.ask(request)).status).toBe(200);
  });
});

describe('in pass-through mode', () => {
  it('files are the upstream’s to keep apart: everything passes as it is', async () => {
    const stage = await start({ settings: passThrough() });
    const workspace = serveObjects(stage.upstream);
    const id = workspace.add('files');
    expect((await get(stage, `${FILES}/${id}`, 'sk-ant-mine')).text).toBe(fileText(id));
    stage.upstream.script = (call) => call.answer(200, '{"data":[],"next_page":"p"}');
    expect((await get(stage, `${FILES}?page=q`)).text).toBe('{"data":[],"next_page":"p"}');
    expect((await stage.record(1)).operation).toBe('files');
  });
});

describe('a tenant with all of its slots held', () => {
  it('can upload a file', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1, queue: { max: 0 }') });
    const { call } = await stage.open();
    serveObjects(stage.upstream);
    expect(await upload(stage)).toBe('file_w01');
    call.reset();
  });
});
