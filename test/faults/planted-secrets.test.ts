import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { startCli, type Child } from '../node/demo-child.ts';
import { textOf } from '../support/cache-bodies.ts';
import { apiError, event, message, MESSAGE_STOP, messageDelta, messageStart } from '../support/claude-answers.ts';
import { eventually } from '../support/eventually.ts';
import { connectRaw, requestBytes } from '../support/raw-client.ts';
import { startScriptedUpstream, type ScriptedUpstream, type UpstreamCall } from '../support/scripted-upstream.ts';

/**
 * The gateway as it is started, between callers and an upstream who plant a word wherever one of theirs can stand. None may
 * be in what it tells its operator: the lines of its log as pino has written them, its stderr, both pages of metrics, the
 * spans that a collector gets. What callers planted must not be in any answer either: the upstream here repeats nothing.
 */
const SECRET = {
  system: 'planted-system-4a1e',
  prompt: 'planted-prompt-7f3a',
  toolDescription: 'planted-tool-description-08c2',
  toolInput: 'planted-tool-input-5d9b',
  toolResult: 'planted-tool-result-e611',
  userId: 'planted-user-id-33ab',
  header: 'planted-header-value-c7d0',
  query: 'planted-query-1f5e',
  callersKey: 'planted-key-of-acme-2b64',
  unknownKey: 'planted-unknown-key-9c01',
  upstreamKey: 'planted-upstream-key-770d',
  metricsToken: 'planted-metrics-token-4e2f',
} as const;
const ANSWER = {
  text: 'planted-answer-91bc',
  thinking: 'planted-thinking-6d18',
  toolCall: 'planted-tool-call-f20a',
  error: 'planted-error-0d42',
  answersHeader: 'planted-answer-header-a85c',
  location: 'planted-location-3e97',
} as const;

const DEADLINE_MS = 20_000;
const CASES_DEADLINE_MS = 60_000;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

const DELTAS = [
  { type: 'thinking_delta', thinking: ANSWER.thinking },
  { type: 'text_delta', text: ANSWER.text },
  { type: 'input_json_delta', partial_json: `{"path":"${ANSWER.toolCall}"}` },
];
const BEGUN = [
  messageStart({ input_tokens: 12, cache_read_input_tokens: 3_000, output_tokens: 1 }),
  event('content_block_start', { index: 0, content_block: { type: 'tool_use', name: ANSWER.toolCall, input: {} } }),
  ...DELTAS.map((delta) => event('content_block_delta', { index: 0, delta })),
].join('');
const WHOLE = BEGUN + event('content_block_stop', { index: 0 }) + messageDelta(9) + MESSAGE_STOP;

type Answer = (call: UpstreamCall) => void;

const streaming =
  (text: string, end: Answer): Answer =>
  (call) => {
    call.sse({ 'x-planted': ANSWER.answersHeader });
    call.write(text);
    end(call);
  };
const failing =
  (status: number, type: string): Answer =>
  (call) =>
    call.answer(status, apiError(type, ANSWER.error), { 'x-planted': ANSWER.answersHeader });

const BROKEN_EVENT = event('error', { error: { type: 'overloaded_error', message: ANSWER.error } });

/** What the upstream does with a call, by the name of the case, which the caller's header tells it. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  'a stream': streaming(WHOLE, (call) => call.end()),
  'an answer in one piece': (call) =>
    call.answer(
      200,
      { ...message(), content: [{ type: 'text', text: ANSWER.text }] },
      { 'x-planted': ANSWER.answersHeader },
    ),
  'an answer that is no JSON': (call) => call.answer(200, `{"content": ${ANSWER.text}`),
  'half an answer': (call) => {
    call.head(200, { 'content-type': 'application/json', 'content-length': 9_000 });
    call.write(JSON.stringify({ content: ANSWER.text }));
    call.fin();
  },
  'a page of HTML': (call) => call.answer(502, `<html>${ANSWER.error}</html>`, { 'content-type': 'text/html' }),
  'a redirect': (call) => call.answer(307, ANSWER.error, { location: `http://127.0.0.1/${ANSWER.location}` }),
  'a mistake of the caller': failing(400, 'invalid_request_error'),
  'a rate limit': failing(429, 'rate_limit_error'),
  overload: failing(529, 'overloaded_error'),
  'a failure': failing(500, 'api_error'),
  'a broken head': (call) => call.raw(`HTTP/1.1 ${ANSWER.error} 200\r\n\r\n`),
  'a broken connection': (call) => call.reset(),
  'a stream that is cut': streaming(BEGUN, (call) => call.reset()),
  'a stream that ends early': streaming(BEGUN, (call) => call.end()),
  'a stream with an error': streaming(BEGUN + BROKEN_EVENT, (call) => call.end()),
  'an error before content': streaming(messageStart() + BROKEN_EVENT, (call) => call.end()),
  'garbage in a stream': streaming(`event: ${ANSWER.text}\ndata: {${ANSWER.text}\n\n`, (call) => call.end()),
  'a refused key': failing(401, 'authentication_error'),
};

function bodyOf(isStream: boolean): string {
  return JSON.stringify({
    model: 'claude-sonnet-5',
    max_tokens: 64,
    stream: isStream,
    system: textOf(SECRET.system, 3_000),
    tools: [{ name: 'read', description: SECRET.toolDescription, input_schema: { type: 'object' } }],
    messages: [
      { role: 'user', content: SECRET.prompt },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'read', input: { path: SECRET.toolInput } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: SECRET.toolResult }] },
    ],
    metadata: { user_id: SECRET.userId },
  });
}

const CASE_HEADER = 'x-planted-case';

/** Each case has a tenant and an upstream of its own, so that the breaker that one opens stands in no other's way. */
const CASES = Object.keys(ANSWERS);
const keyFor = (name: string): string => `${SECRET.callersKey}-${CASES.indexOf(name)}`;

function headersFor(name: string, key = keyFor(name)): Record<string, string> {
  return { 'x-api-key': key, 'content-type': 'application/json', 'x-planted': SECRET.header, [CASE_HEADER]: name };
}

interface Started {
  readonly child: Child;
  readonly port: number;
  readonly upstream: ScriptedUpstream;
  readonly spans: readonly string[];
}

async function start(): Promise<Started> {
  const upstream = await startScriptedUpstream();
  const collector = await startCollector();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-planted-'));
  const settings = join(folder, 'slipstream.yaml');
  writeFileSync(settings, settingsFor(upstream.url));
  const child = startCli('start', '--config', settings);
  cleanups.push(
    upstream.close,
    collector.close,
    () => rmSync(folder, { recursive: true }),
    () => child.kill('SIGKILL'),
  );
  const address = (): string | undefined => /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(child.stderr)?.[1];
  await eventually('the gateway listens', DEADLINE_MS, () => address() !== undefined);
  upstream.script = (call) => ANSWERS[String(call.headers[CASE_HEADER])]?.(call);
  return { child, port: Number(address()), upstream, spans: collector.bodies };
}

const settingsFor = (url: string): string => `
listen: { host: 127.0.0.1, port: 0 }
upstreams:
${CASES.map((_, at) => `  - { id: to-${at}, baseUrl: "${url}", apiKey: ${SECRET.upstreamKey} }`).join('\n')}
tenants:
${CASES.map((name, at) => `  - { id: of-${at}, keys: [${keyFor(name)}], upstreams: [to-${at}] }`).join('\n')}
metrics: { token: ${SECRET.metricsToken} }
limits: { retries: 1 }
`;

async function startCollector() {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => bodies.push(text));
    request.on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> => new Promise((resolve) => void server.close(() => resolve()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, close };
}

/** Head and body of the answer, as far as it came. */
async function heard(port: number, path: string, init: RequestInit): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, redirect: 'manual' });
  const head = JSON.stringify([...response.headers]);
  return head + (await response.text().catch(() => ''));
}

const post = (name: string, body: string, key?: string): RequestInit => ({
  method: 'POST',
  headers: headersFor(name, key),
  body,
});

/** What ends before any upstream, by whoever finds it. */
const REFUSED: readonly (readonly [path: string, init: RequestInit])[] = [
  ['/v1/messages', post('a stream', `{"system": "${SECRET.system}", `)],
  ['/v1/messages', post('a stream', `["${SECRET.prompt}"]`)],
  ['/v1/messages', post('a stream', bodyOf(true), SECRET.unknownKey)],
  [
    '/v1/messages',
    { ...post('a stream', SECRET.prompt), headers: { ...headersFor('a stream'), 'content-type': 'text/plain' } },
  ],
  ['/v1/nowhere', { headers: headersFor('a stream') }],
  [`/metrics?token=${SECRET.query}`, { headers: { authorization: `Bearer ${SECRET.unknownKey}` } }],
  [`/console/api/requests?token=${SECRET.query}`, { headers: { authorization: `Bearer ${SECRET.unknownKey}` } }],
];

async function hangUpInTheMiddle({ port, upstream }: Started): Promise<void> {
  const client = await connectRaw(port);
  const before = upstream.calls.length;
  const target = `/v1/messages?q=${SECRET.query}`;
  client.send(
    requestBytes({ target, headers: { ...headersFor('a stream'), [CASE_HEADER]: 'none' }, body: bodyOf(true) }),
  );
  const call = await upstream.call(before);
  call.sse();
  call.write(BEGUN);
  await client.body('content arrives', (text) => text.includes(ANSWER.text));
  client.reset();
}

it(
  'what callers and upstreams plant is in no log line, no metric and no span',
  { timeout: CASES_DEADLINE_MS },
  async () => {
    const started = await start();
    const { child, port, spans } = started;
    const answers: string[] = [];
    await hangUpInTheMiddle(started);
    for (const [path, init] of REFUSED) answers.push(await heard(port, path, init));
    const heardInTurn = async (name: string): Promise<void> => {
      for (const isStream of [true, false]) {
        answers.push(await heard(port, `/v1/messages?q=${SECRET.query}`, post(name, bodyOf(isStream))));
      }
    };
    await Promise.all(CASES.map(heardInTurn));
    answers.push(await heard(port, `/v1/models?q=${SECRET.query}`, { headers: headersFor('a stream') }));
    const authorization = `Bearer ${SECRET.metricsToken}`;
    const pages = await Promise.all(
      ['text/plain', 'application/openmetrics-text'].map((accept) =>
        heard(port, '/metrics', { headers: { accept, authorization } }),
      ),
    );
    child.kill('SIGTERM');
    expect(await child.exit('the gateway ends')).toBe(0);

    const lines = child.stdout.split('\n').filter((line) => line.includes('"id":"slip_'));
    expect(lines.length).toBe(2 * CASES.length + 2);
    expect(pages.map((page) => page.includes('slipstream_requests_total{'))).toEqual([true, true]);
    expect(spans.join('')).toContain('slipstream.tenant');
    const told = { log: child.stdout, stderr: child.stderr, pages: pages.join(''), spans: spans.join('') };
    expect(plantedIn(told, { ...SECRET, ...ANSWER })).toEqual([]);
    expect(plantedIn({ answers: answers.join('') }, SECRET)).toEqual([]);
    expect(answers.join('')).toContain(ANSWER.text); // it was there to be told
  },
);

function plantedIn(texts: Readonly<Record<string, string>>, words: Readonly<Record<string, string>>): string[] {
  return Object.entries(texts).flatMap(([where, text]) =>
    Object.entries(words).flatMap(([what, word]) => (text.includes(word) ? [`${what} in ${where}`] : [])),
  );
}
