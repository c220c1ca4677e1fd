import { expect, test } from 'vitest';
import { curlLine } from '../../src/node/demo/curl-line.ts';
import { ACME_KEY, managed } from '../support/gateway-under-test.ts';
import { useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';
import { parseEvents } from '../simulator/session.ts';
import { curl, shell } from './curl.ts';

/** curl, with bodies as people write them. */
const start = useSimulatorStage();

/** Its own order of fields, its own spaces, line ends of another system, escapes and a number written the long way. */
const BY_HAND = `{
  "messages" : [ { "content": "Gr\\u00fc\\u00dfe — \\"wie geht's?\\"", "role": "user" } ],\r
\t"max_tokens": 200,   "stream": true,
  "metadata": {"user_id":"by-hand"}, "model":"claude-sonnet-5"
}
`;

/** What reads a body from stdin and posts it to /v1/messages. */
function messages({ baseUrl }: SimulatorStage, args: readonly string[] = [], key = ACME_KEY): string[] {
  const headers = [`x-api-key: ${key}`, 'anthropic-version: 2023-06-01', 'content-type: application/json'];
  return [`${baseUrl}/v1/messages`, ...headers.flatMap((header) => ['-H', header]), '--data-binary', '@-', ...args];
}

function fault(text: string): string[] {
  return ['-H', `x-simulator-fault: ${text}`];
}

test('a body written by hand reaches the upstream byte for byte, and its stream comes whole', async () => {
  const stage = await start({ settings: managed('cache: off') });
  const { exitCode, printed } = await curl(['-N', ...messages(stage)], BY_HAND).done();
  expect(exitCode).toBe(0);
  const names = parseEvents(printed).map(({ name }) => name);
  expect([names[0], names.at(-2), names.at(-1)]).toEqual(['message_start', 'message_delta', 'message_stop']);
  expect(Buffer.from(stage.newest().body).toString()).toBe(BY_HAND);
});

test('events are seen as they come, while the answer is still being written; Ctrl-C ends it upstream', async () => {
  const stage = await start();
  const run = curl(['-N', ...messages(stage, fault('stall;after=3'))], BY_HAND);
  const printed = await run.prints('two deltas are printed', (text) => text.split('content_block_delta').length > 4);
  expect(printed).not.toContain('message_stop');
  expect(stage.simulator.observations.openStreams).toBe(1);
  run.interrupt();
  await run.done();
  expect(await stage.ended()).toMatchObject({ outcome: 'aborted' });
  expect(await stage.record(0)).toMatchObject({ end: 'client_abort' });
});

test('a stream that is cut is an error of curl’s, behind what came before', async () => {
  const stage = await start();
  const args = messages(stage, ['--no-show-error', ...fault('cut;after=3')]);
  const { exitCode, printed } = await curl(['-N', ...args], BY_HAND).done();
  expect(exitCode).toBe(18); // "partial file"
  expect(printed).toContain('content_block_delta');
});

test('the line that the demo prints works as it stands', async () => {
  const { baseUrl } = await start();
  const line = curlLine(baseUrl, ACME_KEY, { http_proxy: 'http://proxy.test' });
  const { exitCode, printed } = await shell(`${line} 2>/dev/null`).done();
  expect(exitCode).toBe(0);
  expect(parseEvents(printed).at(-1)?.name).toBe('message_stop');
});

test('a body for which curl first asks leave is taken and arrives whole', async () => {
  const stage = await start({ settings: managed('cache: off') });
  const question = 'Where is the rain? '.repeat(70_000);
  const body = JSON.stringify({
    model: 'claude-sonnet-5',
    max_tokens: 8,
    messages: [{ role: 'user', content: question }],
  });
  const run = curl([...messages(stage, ['-H', 'expect: 100-continue', '-D', '-'])], body);
  const { printed } = await run.done();
  expect(printed).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  expect(stage.newest().body).toHaveLength(Buffer.byteLength(body));
});

test.each([
  { what: 'a wrong key', key: 'nobody', args: [], status: 401, type: 'authentication_error', reaches: false },
  { what: 'another method', args: ['-X', 'PUT'], status: 405, type: 'invalid_request_error', reaches: false },
  { what: 'an overload', args: fault('529'), status: 529, type: 'overloaded_error', reaches: true },
])('$what is answered $status with the API’s error JSON', async ({ key, args, status, type, reaches }) => {
  const stage = await start();
  const { printed } = await curl(messages(stage, [...args, '-w', '\n%{http_code}'], key), BY_HAND).done();
  const [body = '', code] = printed.split('\n');
  expect(Number(code)).toBe(status);
  expect(JSON.parse(body)).toMatchObject({ type: 'error', error: { type } });
  expect(stage.seen.length > 0).toBe(reaches);
});

test('-d alone, which says that the body is a form, is told to say JSON', async () => {
  const stage = await start();
  const args = [`${stage.baseUrl}/v1/messages`, '-H', `authorization: Bearer ${ACME_KEY}`, '-d', '{}', '-i'];
  const { printed } = await curl(args).done();
  expect(printed).toMatch(/^HTTP\/1.1 415 /);
  expect(printed).toContain('send content-type: application/json');
});

test('--compressed is not passed on: the answer is plain, and curl takes it', async () => {
  const stage = await start();
  const { exitCode, printed } = await curl([...messages(stage, ['--compressed'])], BY_HAND).done();
  expect(exitCode).toBe(0);
  expect(parseEvents(printed).at(-1)?.name).toBe('message_stop');
  expect(stage.newest().headers).not.toHaveProperty('accept-encoding');
});
