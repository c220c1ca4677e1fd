import { afterEach, describe, expect, it } from 'vitest';
import { apiError, event, message, streamHead } from '../support/claude-answers.ts';
import { asking, managed } from '../support/gateway-under-test.ts';
import { connectRaw, requestBytes, type RawResponse, type RequestParts } from '../support/raw-client.ts';
import { startScriptedUpstream, type UpstreamCall } from '../support/scripted-upstream.ts';
import { startCli } from './running-cli.ts';

/** Prompts, answers and keys leave the process only upstream and back to who asked: not to logs, metrics or refusals. */

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

const SECRET = {
  prompt: 'planted-prompt-7f3a',
  answer: 'planted-answer-91bc',
  upstreamError: 'planted-error-text-0d42',
  upstreamKey: 'upstream-key-of-main',
  gatewayKey: 'gateway-key-of-acme',
  wrongKey: 'planted-wrong-key-55e1',
  header: 'planted-header-c0de',
  brokenSetting: 'planted setting-with-a-space-3b1d',
};
const CONSOLE_TOKEN = 'console-token-of-the-operator';
const BODY = JSON.stringify({
  model: 'claude-sonnet-5',
  stream: true,
  messages: [{ role: 'user', content: SECRET.prompt }],
});
/** Long enough to be marked, in parts that change, so that the prompt cache has something to say of it. */
const longBody = (end: string): string =>
  JSON.stringify({
    model: 'claude-sonnet-5',
    system: [SECRET.prompt, end].map((text) => ({ type: 'text', text: `${text} `.repeat(400) })),
    messages: [{ role: 'user', content: SECRET.prompt }],
  });
const CACHED = message({ input_tokens: 9, cache_creation_input_tokens: 4_000, output_tokens: 7 });
const HEADERS = { 'x-note': SECRET.header };

type Exchange = readonly [parts: RequestParts, script: (call: UpstreamCall) => void];

const answeredStream = streamHead() + event('content_block_delta', { delta: { text: SECRET.answer } });
const never = (): void => {};
const TRAFFIC: readonly Exchange[] = [
  [asking({ body: BODY, headers: HEADERS }), (call) => call.answer(200, { ...message(), content: SECRET.answer })],
  [asking({ body: BODY }), (call) => (call.sse(), call.write(answeredStream), call.end())],
  [asking({ body: longBody('first') }), (call) => call.answer(200, CACHED)],
  [asking({ body: longBody(SECRET.prompt) }), (call) => call.answer(200, CACHED)],
  [asking({ body: BODY }), (call) => (call.sse(), call.write(answeredStream), call.reset())],
  [asking({ body: BODY }), (call) => call.answer(400, apiError('invalid_request_error', SECRET.upstreamError))],
  [asking({ body: BODY }), (call) => call.raw(`HTP/1.1 ${SECRET.upstreamError}\r\n\r\n`)],
  [asking({ body: BODY }), (call) => call.reset()],
  [asking({ body: BODY }), (call) => call.answer(307, '', { location: `http://x.test/${SECRET.upstreamError}` })],
  [asking({ body: BODY.slice(0, -3) }), never],
  [asking({ body: BODY.replace('true', `"${SECRET.prompt}"`) }), never],
  [asking({ body: BODY }, SECRET.wrongKey), never],
  [asking({ body: BODY, headers: { 'x-api-key': '', authorization: `Bearer ${SECRET.wrongKey}` } }), never],
  [asking({ body: BODY, headers: { 'content-type': `text/plain; x=${SECRET.header}` } }), never],
  [asking({ body: BODY, headers: { 'x-note': `${SECRET.header}\0` } }), never],
  [asking({ body: BODY, headers: { host: `${SECRET.header} x` } }), never],
];

async function ask(port: number, parts: RequestParts): Promise<RawResponse> {
  const client = await connectRaw(port);
  client.send(requestBytes(parts));
  const response = await client.response();
  client.close();
  return response;
}

function planted(text: string): string[] {
  return Object.values(SECRET).filter((secret) => text.includes(secret));
}

describe('a gateway that has seen prompts, answers and keys, in good requests and bad ones', () => {
  it('has none of them in its logs, its metrics or its own refusals', async () => {
    const upstream = await startScriptedUpstream();
    cleanups.push(() => upstream.close());
    const cli = await startCli(`listen: { port: 0 }\nconsole: { token: ${CONSOLE_TOKEN} }${managed()(upstream.url)}`);
    cleanups.push(() => cli.dispose());
    const ownTexts: string[] = [];
    for (const [parts, script] of TRAFFIC) {
      upstream.script = script;
      const response = await ask(cli.port, parts);
      const isOwn = response.headers['x-slipstream-cache'] === undefined;
      ownTexts.push(isOwn ? JSON.stringify(response) : JSON.stringify(response.headers));
    }
    const metrics = (await ask(cli.port, { method: 'GET', target: '/metrics' })).text;
    const console = { authorization: `Bearer ${CONSOLE_TOKEN}` };
    const told = (path: string) => ask(cli.port, { method: 'GET', target: `/console/api${path}`, headers: console });
    const { requests } = (await told('/requests')).json() as { requests: readonly { readonly id: string }[] };
    const stories = await Promise.all(requests.map(async ({ id }) => (await told(`/requests/${id}`)).text));
    const story = stories.join('\n');
    cli.rewriteSettings(`upstreams: [{ id: main, apiKey: "${SECRET.brokenSetting}" }]\n`);
    cli.signal('SIGHUP');
    await cli.says('settings unchanged');
    cli.signal('SIGTERM');
    expect(await cli.exitCode()).toBe(0);

    expect(cli.output.match(/"id":"slip_/g)).toHaveLength(9);
    expect(metrics).toContain('slipstream_requests_total{');
    expect(planted(cli.output)).toEqual([]);
    expect(planted(metrics)).toEqual([]);
    expect(ownTexts.join('\n')).toContain('miss; reason=prefix-changed; at=system[1]');
    expect(story).toContain('"place":"system[1]"');
    expect(planted(story)).toEqual([]);
    expect(planted(ownTexts.join('\n'))).toEqual([]);
  });
});
