import { describe, expect, test } from 'vitest';
import { ask, BASE, createSession, HEADERS, OPUS, type Session } from './session.ts';

const session: Session = createSession();
const USER = { role: 'user', content: 'Hello' };
const CALL = { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }] };
const RESULT = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'seen' }] };
const TOOL = { name: 'look', input_schema: { type: 'object' } };
const NEW_VERSION = { 'anthropic-version': '2026-10-21' };

async function told(body: object, headers: Record<string, string> = {}): Promise<string> {
  const { status, message } = await session.refusal(body, headers);
  return `${status} ${message}`;
}

describe('who asks', () => {
  test('a key may come as x-api-key or as a bearer token', async () => {
    const guarded = createSession({ workspaces: { secret: 'one' } });
    expect((await guarded.post(ask(), { 'x-api-key': 'secret' })).status).toBe(200);
    const bearer = { 'anthropic-version': '2023-06-01', authorization: 'Bearer secret' };
    const request = new Request(`${BASE}/v1/messages`, {
      method: 'POST',
      headers: bearer,
      body: JSON.stringify(ask()),
    });
    expect((await guarded.simulator.fetch(request)).status).toBe(200);
  });

  test('no key and an unknown key are 401 authentication_error', async () => {
    const guarded = createSession({ workspaces: { secret: 'one' } });
    expect(await guarded.refusal(ask(), { 'x-api-key': 'wrong' })).toMatchObject({
      status: 401,
      type: 'authentication_error',
    });
    const bare = await guarded.simulator.fetch(new Request(`${BASE}/v1/models`));
    expect(bare.status).toBe(401);
  });

  test('every answer names itself, its organization and its workspace, errors too', async () => {
    for (const response of [await session.post(ask()), await session.post({}), await session.get('/v1/models')]) {
      expect(response.headers.get('request-id')).toMatch(/^req_011C\w+$/);
      expect(response.headers.get('anthropic-organization-id')).not.toBeNull();
      expect(response.headers.get('anthropic-workspace-id')).not.toBeNull();
    }
    const response = await session.post({});
    expect(await response.json()).toMatchObject({ type: 'error', request_id: response.headers.get('request-id') });
  });
});

describe('other paths', () => {
  test('the probes of Claude Code need no key', async () => {
    for (const path of ['/', '/api/hello']) {
      const response = await session.simulator.fetch(new Request(`${BASE}${path}`, { method: 'HEAD' }));
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('');
    }
  });

  test('an unknown path is a 404 in the API’s shape', async () => {
    const response = await session.get('/v1/nothing');
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  });

  test('models come in pages, newest first, and one by one by id or alias', async () => {
    interface Page {
      data: { id: string }[];
      has_more: boolean;
      last_id: string;
    }
    const page = (await (await session.get('/v1/models?limit=3')).json()) as Page;
    expect(page.data.map(({ id }) => id)).toEqual(['claude-fable-5-2', 'claude-mythos-5-2', 'claude-haiku-5-5']);
    expect(page).toMatchObject({ has_more: true, last_id: 'claude-haiku-5-5' });
    const rest = (await (await session.get(`/v1/models?limit=1000&after_id=${page.last_id}`)).json()) as Page;
    expect(rest).toMatchObject({ has_more: false, data: { 0: { id: 'claude-sonnet-5-5' } } });
    expect(await (await session.get('/v1/models/claude-sonnet-4-5')).json()).toMatchObject({
      id: 'claude-sonnet-4-5-20250929',
      lifecycle: 'deprecated',
    });
    expect((await session.get('/v1/models/claude-2')).status).toBe(404);
  });
});

describe('the envelope', () => {
  test('the version header is required and known in two values', async () => {
    expect(await told(ask(), { 'anthropic-version': '2020-01-01' })).toContain('400 anthropic-version');
    const { 'anthropic-version': _, ...headers } = HEADERS;
    const bare = new Request(`${BASE}/v1/messages`, { method: 'POST', headers, body: JSON.stringify(ask()) });
    expect((await session.simulator.fetch(bare)).status).toBe(400);
    expect((await session.post(ask(), NEW_VERSION)).status).toBe(200);
  });

  test.each(['', 'nonsense', '[]', 'null', '"text"'])('a body of %j is a 400', async (body) => {
    expect((await session.get('/v1/messages', { method: 'POST', body })).status).toBe(400);
  });

  test('an unknown model is a 404, an absent one a 400', async () => {
    expect(await told(ask({ model: 'claude-2' }))).toBe('404 model: claude-2');
    expect(await told({ max_tokens: 1, messages: [USER] })).toBe('400 model: Field required');
  });

  test('a body over 32 MiB is a 413 request_too_large', async () => {
    const refusal = await session.refusal(ask({ system: 'x'.repeat(33 * 1024 * 1024) }));
    expect(refusal).toMatchObject({ status: 413, type: 'request_too_large' });
  });

  test('a gzipped body is decoded, a wrong one and an unknown encoding are told apart by code', async () => {
    const gzip = new Blob([JSON.stringify(ask())]).stream().pipeThrough(new CompressionStream('gzip'));
    const body = await new Response(gzip).arrayBuffer();
    const send = (init: RequestInit, encoding: string) =>
      session.get('/v1/messages', { method: 'POST', headers: { ...HEADERS, 'content-encoding': encoding }, ...init });
    expect((await send({ body }, 'gzip')).status).toBe(200);
    const code = async (response: Response) =>
      ((await response.json()) as { error: { details: { error_code: string } } }).error.details.error_code;
    expect(await code(await send({ body: '{}' }, 'gzip'))).toBe('request_body_encoding_invalid');
    expect(await code(await send({ body: '{}' }, 'zstd'))).toBe('request_body_encoding_unsupported');
  });

  test('unknown fields and betas are refused by default and let through on demand', async () => {
    expect(await told(ask({ surprise: 1 }))).toBe('400 surprise: Extra inputs are not permitted');
    expect(await told(ask(), { 'anthropic-beta': 'no-such-thing-2026-01-01' })).toContain('Unexpected value(s)');
    const open = createSession({ unknown: 'accepted' });
    expect((await open.post(ask({ surprise: 1 }), { 'anthropic-beta': 'no-such-thing-2026-01-01' })).status).toBe(200);
  });

  test('a beta’s field without its header is an extra input', async () => {
    const body = ask({ context_management: { edits: [] } });
    expect(await told(body)).toContain('context_management: Extra inputs are not permitted');
    expect((await session.post(body, { 'anthropic-beta': 'context-management-2025-06-27' })).status).toBe(200);
  });

  test('a message thread is refused with the code that makes clients send the whole conversation', async () => {
    const response = await session.post(ask({ thread: { type: 'create' } }), {
      'anthropic-beta': 'message-threads-2026-08-12',
    });
    expect(await response.json()).toMatchObject({ error: { details: { error_code: 'thread_unsupported_request' } } });
  });
});

describe('fields and messages', () => {
  test.each<[string, object, string]>([
    ['no max_tokens', { model: OPUS, messages: [USER] }, 'max_tokens: Field required'],
    ['no messages', { model: OPUS, max_tokens: 1 }, 'messages: Field required'],
    ['no message', ask({ messages: [] }), 'at least one message'],
    ['too many tokens', ask({ max_tokens: 200_000 }), 'max_tokens: 200000 > 128000'],
    ['a stream that is no boolean', ask({ stream: 'yes' }), 'stream: Input should be a valid boolean'],
    [
      'an assistant first',
      ask({ messages: [{ role: 'assistant', content: 'Hi' }, USER] }),
      'first message must use the "user" role',
    ],
    ['an unknown role', ask({ messages: [{ role: 'tool', content: 'Hi' }] }), 'messages.0.role'],
    ['an empty string', ask({ messages: [{ role: 'user', content: '' }] }), 'non-empty content'],
    [
      'an empty text block',
      ask({ messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }),
      'text content blocks must be non-empty',
    ],
    [
      'an empty system block',
      ask({ system: [{ type: 'text', text: '' }] }),
      'system: text content blocks must be non-empty',
    ],
    [
      'a call by the user',
      ask({ messages: [{ role: 'user', content: CALL.content }] }),
      'can only be in `assistant` messages',
    ],
    [
      'a call without result',
      ask({ messages: [USER, CALL, USER] }),
      '`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1',
    ],
    [
      'a result without call',
      ask({ messages: [RESULT] }),
      'unexpected `tool_use_id` found in `tool_result` blocks: toolu_1',
    ],
    ['two tools of one name', ask({ tools: [TOOL, TOOL] }), 'Tool names must be unique'],
    ['a tool without schema', ask({ tools: [{ name: 'look' }] }), 'tools.0.custom.input_schema: Field required'],
    [
      'a choice without tools',
      ask({ tool_choice: { type: 'auto' } }),
      'tool_choice may only be specified while providing tools',
    ],
    ['a choice of no tool', ask({ tools: [TOOL], tool_choice: { type: 'tool', name: 'x' } }), "Tool 'x' not found"],
    [
      'a prompt beyond the context',
      ask({ model: 'claude-haiku-4-5', system: 'x'.repeat(800_000) }),
      'prompt is too long: ',
    ],
  ])('%s is a 400', async (_, body, message) => {
    expect(await told(body)).toContain(message);
    expect((await told(body)).startsWith('400')).toBe(true);
  });

  test('results may come in a second user message, and a system message may follow them', async () => {
    const messages = [USER, CALL, RESULT, { role: 'system', content: 'Be brief.' }];
    expect((await session.post(ask({ messages, tools: [TOOL] }))).status).toBe(200);
    const two = [USER, CALL, RESULT, USER];
    expect((await session.post(ask({ messages: two, tools: [TOOL] }))).status).toBe(200);
  });
});

describe('what a model takes (§4.6)', () => {
  const enabled = { thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 2000 };
  const prefilled = { messages: [USER, { role: 'assistant', content: 'Well' }] };
  const forced = { tools: [TOOL], tool_choice: { type: 'any' } };
  const off = { thinking: { type: 'disabled' } };

  test.each<[string, string, object, number]>([
    ['prefill', 'claude-opus-4-5', prefilled, 200],
    ['prefill', 'claude-opus-4-6', prefilled, 400],
    ['enabled thinking', 'claude-opus-4-6', enabled, 200],
    ['enabled thinking', 'claude-opus-4-7', enabled, 400],
    ['adaptive thinking', 'claude-opus-4-5', { thinking: { type: 'adaptive' } }, 400],
    ['adaptive thinking', 'claude-opus-4-6', { thinking: { type: 'adaptive' } }, 200],
    ['thinking switched off', 'claude-opus-4-8', off, 200],
    ['thinking switched off', 'claude-fable-5-2', off, 400],
    ['thinking switched off', 'claude-opus-5-5', off, 400],
    ['thinking switched off', 'claude-sonnet-5-5', off, 400],
    ['thinking between tools', 'claude-sonnet-5-5', { thinking: { type: 'between_tools' } }, 200],
    ['thinking off at high effort', 'claude-opus-5', off, 200],
    ['thinking off at xhigh effort', 'claude-opus-5', { ...off, output_config: { effort: 'xhigh' } }, 400],
    ['a forced tool', 'claude-opus-5', forced, 200],
    ['a forced tool', 'claude-fable-5-1', forced, 400],
    ['a temperature', 'claude-opus-4-6', { temperature: 0.5 }, 200],
    ['a temperature', 'claude-opus-4-7', { temperature: 0.5 }, 400],
    ['the default temperature', 'claude-opus-4-7', { temperature: 1 }, 200],
    ['fast mode', 'claude-opus-5-5', { speed: 'fast' }, 200],
    ['fast mode', 'claude-opus-4-7', { speed: 'fast' }, 400],
  ])('%s on %s', async (_, model, rest, status) => {
    expect((await session.post(ask({ model, ...rest }))).status).toBe(status);
  });

  test('a forced tool is refused by count_tokens too', async () => {
    const body = JSON.stringify({ model: 'claude-fable-5-1', messages: [USER], ...forced });
    expect((await session.get('/v1/messages/count_tokens', { method: 'POST', body })).status).toBe(400);
  });
});

describe('what version 2026-10-21 took away (§2.2)', () => {
  const document = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } };
  const cited = { type: 'text', text: 'x', citations: [{ type: 'char_location' }] };

  test.each<[string, object]>([
    ['a sampling parameter, even its default', { model: 'claude-opus-4-6', temperature: 1 }],
    ['a document by the assistant', { messages: [USER, { role: 'assistant', content: [document] }, USER] }],
    ['citations on a user’s text', { messages: [{ role: 'user', content: [cited] }] }],
  ])('%s is a 400 there and fine under 2023-06-01', async (_, rest) => {
    expect((await session.post(ask(rest), NEW_VERSION)).status).toBe(400);
    expect((await session.post(ask(rest))).status).toBe(200);
  });
});
