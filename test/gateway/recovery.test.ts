import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  apiError,
  BLOCK_START,
  event,
  MESSAGE_STOP,
  messageStart,
  streamHead,
  streamTail,
  textDelta,
} from '../support/claude-answers.ts';
import { eventsIn, faultOf, textsOf } from '../support/event-sequence.ts';
import { eventually } from '../support/eventually.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { ACME_KEY, asking, managed, useStage, type Stage } from '../support/gateway-under-test.ts';
import type { RawResponse } from '../support/raw-client.ts';
import type { UpstreamCall } from '../support/scripted-upstream.ts';

/** A stream that breaks after content, for tenants who want it gone on with, and for those who do not. */

const start = useStage();
const RECOVERS = managed('recover: continue', '', 4);

const BODY = JSON.stringify({
  model: 'claude-sonnet-5',
  max_tokens: 64,
  stream: true,
  messages: [{ role: 'user', content: 'Count to ten.' }],
});
const FIRST = messageStart({ input_tokens: 10, output_tokens: 1 }) + BLOCK_START + textDelta('one two');
const SECOND = messageStart({ input_tokens: 14, output_tokens: 1 }) + BLOCK_START + textDelta(' three') + streamTail(6);

type Script = (call: UpstreamCall) => void;

const breaks =
  (text: string): Script =>
  (call) => {
    call.sse();
    call.write(text);
    setImmediate(() => call.reset());
  };
const ends =
  (text: string): Script =>
  (call) => {
    call.sse();
    call.write(text);
    call.end();
  };

async function answerOf(scripts: readonly Script[], settings = RECOVERS, body = BODY) {
  const clock = createFakeClock();
  const stage = await start({ settings, clock });
  let next = 0;
  stage.upstream.script = (call) => scripts[Math.min(next++, scripts.length - 1)]?.(call);
  const answer = stage.ask(asking({ body }));
  await untilRecorded(stage, clock);
  return { stage, response: await answer };
}

async function untilRecorded(stage: Stage, clock: FakeClock): Promise<void> {
  await eventually('the exchange is over', 8_000, async () => {
    await clock.advance(250);
    return stage.records.length > 0;
  });
}

function expectJoined(response: RawResponse, text: string): void {
  expect(response).toMatchObject({ status: 200, ending: 'whole' });
  expect(faultOf(eventsIn(response.body))).toBeNull();
  expect(textsOf(eventsIn(response.body)).join('')).toBe(text);
}

describe('a stream that breaks after content', () => {
  it.each<[string, Script]>([
    ['is reset', breaks(FIRST)],
    ['breaks within an event', breaks(FIRST + 'event: content_block_delta\ndata: {"type":"con')],
    ['ends early', ends(FIRST)],
    ['is ended by an error event', ends(FIRST + event('error', { error: { type: 'overloaded_error', message: 'x' } }))],
  ])('and %s is gone on with: one answer, valid from its start to its stop', async (_how, first) => {
    const { stage, response } = await answerOf([first, ends(SECOND)]);
    expectJoined(response, 'one two three');
    expect(response.text).toContain(': x-slipstream-spliced 1\n\n');
    expect(stage.upstream.calls).toHaveLength(2);
    const asked = JSON.parse(String(stage.upstream.calls[1]?.body)) as {
      messages: { role: string; content: unknown }[];
    };
    expect(asked.messages).toHaveLength(2);
    expect(JSON.stringify(asked.messages[1])).toContain('one two');
  });

  it('counts what both calls used, as one request, one stream, two calls and one retry', async () => {
    const { stage, response } = await answerOf([breaks(FIRST), ends(SECOND)]);
    const metrics = await stage.metrics();
    expect(metrics.sum('slipstream_input_tokens_total')).toBe(24);
    expect(metrics.sum('slipstream_output_tokens_total')).toBe(1 + 6);
    expect(metrics.sum('slipstream_requests_total', { status: '200' })).toBe(1);
    expect(metrics.sum('slipstream_streams_total', { outcome: 'complete' })).toBe(1);
    expect(metrics.sum('slipstream_upstream_attempts_total')).toBe(2);
    expect(metrics.sum('slipstream_retries_total', { reason: 'network' })).toBe(1);
    expect(stage.records[0]?.attempts.map(({ outcome }) => outcome)).toEqual(['network', 'ok']);
    const delta = eventsIn(response.body).findLast(({ type }) => type === 'message_delta');
    expect(delta?.data).toMatchObject({ usage: { output_tokens: 7 } });
  });

  it('is gone on with a second time, and then no more', async () => {
    const twice = await answerOf([
      breaks(FIRST),
      breaks(messageStart() + BLOCK_START + textDelta(' three')),
      ends(messageStart() + BLOCK_START + textDelta(' four') + streamTail(6)),
    ]);
    expectJoined(twice.response, 'one two three four');
  });

  it('whose continuations break too gets an honest error event and a cut', async () => {
    const { stage, response } = await answerOf([breaks(FIRST), breaks(messageStart() + BLOCK_START + textDelta(' x'))]);
    expect(response).toMatchObject({ status: 200, ending: 'cut' });
    expect(response.text).toMatch(/event: error\ndata: .*\n\n$/);
    expect(response.text).not.toContain(MESSAGE_STOP);
    expect(stage.upstream.calls).toHaveLength(3);
    expect(stage.records[0]).toMatchObject({ end: 'truncated' });
  });

  it.each<[string, Script]>([
    ['refused', (call) => call.answer(400, apiError('invalid_request_error'))],
    ['answered by something else', (call) => call.answer(200, { type: 'message' })],
  ])('whose continuation is %s gets the error it would have got', async (_how, second) => {
    const { response } = await answerOf([breaks(FIRST), second]);
    expect(response).toMatchObject({ status: 200, ending: 'cut' });
    expect(response.text).toMatch(/event: error\ndata: .*"api_error".*\n\n$/);
  });

  it('within a tool call is not gone on with', async () => {
    const tool = event('content_block_start', {
      index: 0,
      content_block: { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} },
    });
    const { stage, response } = await answerOf([breaks(messageStart() + tool), ends(SECOND)]);
    expect(response.ending).toBe('cut');
    expect(stage.upstream.calls).toHaveLength(1);
  });

  it('is not gone on with where the tenant did not ask for it', async () => {
    const { stage, response } = await answerOf([breaks(streamHead()), ends(SECOND)], managed('', '', 4));
    expect(response.ending).toBe('cut');
    expect(response.headers['x-slipstream-recover']).toBeUndefined();
    expect(stage.upstream.calls).toHaveLength(1);
  });
});

describe('a tenant who wants streams gone on with', () => {
  it('is told so in the head, and in the trailer how many streams were joined', async () => {
    const stage = await start({ settings: RECOVERS });
    let calls = 0;
    stage.upstream.script = (call) => (calls++ === 0 ? breaks(FIRST) : ends(SECOND))(call);
    const { promise, resolve, reject } = Promise.withResolvers<[unknown, unknown]>();
    const url = `http://127.0.0.1:${stage.port}/v1/messages`;
    const headers = { 'x-api-key': ACME_KEY, 'content-type': 'application/json' };
    request(url, { method: 'POST', headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve([response.headers['x-slipstream-recover'], response.trailers]));
    })
      .on('error', reject)
      .end(BODY);
    expect(await promise).toEqual(['continue', { 'x-slipstream-spliced': '1' }]);
  });

  it('gets a stream that does not break byte for byte', async () => {
    const whole = FIRST + streamTail(3);
    const { response } = await answerOf([ends(whole)]);
    expect(response).toMatchObject({ text: whole, ending: 'whole' });
  });
});
