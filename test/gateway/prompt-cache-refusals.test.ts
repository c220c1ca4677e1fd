import { describe, expect, it } from 'vitest';
import { ask, block, markersOf, textOf, user } from '../support/cache-bodies.ts';
import { apiError, message, wholeStream } from '../support/claude-answers.ts';
import { asking, useStage, type Stage } from '../support/gateway-under-test.ts';
import type { RawResponse } from '../support/raw-client.ts';
import type { UpstreamCall } from '../support/scripted-upstream.ts';

/** A 400 that is about our markers never reaches a caller; every other one does, byte for byte, after one call. */
const startStage = useStage();

const LONG = JSON.stringify(ask({ system: textOf('Be kind.', 3_000) }));
const ABOUT_MARKERS = apiError('invalid_request_error', 'system.0.cache_control: Extra inputs are not permitted');
const ANSWER = message({ input_tokens: 3_100, output_tokens: 7 });

/** An upstream that takes no marker that its callers have not set. */
function refuseOurs(call: UpstreamCall): void {
  if (call.body.includes('cache_control')) call.answer(400, ABOUT_MARKERS);
  else call.answer(200, ANSWER);
}

const say = (stage: Stage, body = LONG): Promise<RawResponse> => stage.ask(asking({ body }));

describe('a 400 that names cache_control, on a body with our markers', () => {
  it('is asked again once with the caller’s bytes, and the caller sees that answer', async () => {
    const stage = await startStage();
    stage.upstream.script = refuseOurs;
    const response = await say(stage);
    expect([response.status, response.json()]).toEqual([200, ANSWER]);
    expect(response.headers['x-slipstream-cache']).toBe('off; reason=refused-before');
    expect(stage.upstream.calls).toHaveLength(2);
    expect(markersOf(stage.upstream.calls[0]?.body as Buffer).length).toBeGreaterThan(0);
    expect(stage.upstream.calls[1]?.body.toString()).toBe(LONG);
    expect((await stage.metrics()).sum('slipstream_retries_total', { upstream: 'main', reason: 'cache_control' })).toBe(
      1,
    );
  });

  it('is learned from: the next request of that shape goes out untouched, and is not held', async () => {
    const stage = await startStage();
    stage.upstream.script = refuseOurs;
    await say(stage);
    const other = LONG.replaceAll('Be kind.', 'Be firm.');
    await Promise.all([say(stage, other), say(stage, other), say(stage, other)]);
    expect(stage.upstream.calls.slice(2).map(({ body }) => body.toString())).toEqual([other, other, other]);
    const metrics = await stage.metrics();
    expect(metrics.sum('slipstream_retries_total')).toBe(1);
    expect(metrics.sum('slipstream_single_flight_total', { role: 'follower' })).toBe(0);
    expect(metrics.sum('slipstream_cache_results_total', { reason: 'refused_before' })).toBe(4);
  });

  it('streams the second answer as it would the first', async () => {
    const stage = await startStage();
    stage.upstream.script = (call) => {
      if (call.body.includes('cache_control')) return call.answer(400, ABOUT_MARKERS);
      call.sse();
      call.write(wholeStream());
      return call.end();
    };
    const response = await say(stage, LONG.replace('"model"', '"stream":true,"model"'));
    expect([response.status, response.text, response.ending]).toEqual([200, wholeStream(), 'whole']);
  });

  it('that comes for the caller’s bytes as well is the caller’s, and changes nothing for others', async () => {
    const stage = await startStage();
    stage.upstream.script = (call) => call.answer(400, ABOUT_MARKERS);
    expect((await say(stage)).json()).toEqual(ABOUT_MARKERS);
    expect(stage.upstream.calls).toHaveLength(2);
    stage.upstream.script = (call) => call.answer(200, ANSWER);
    await say(stage);
    expect(stage.upstream.calls[2]?.body.includes('cache_control')).toBe(true);
  });

  it('about thinking that is bound to its conversation counts as ours, too', async () => {
    const stage = await startStage();
    const text = 'messages.1.content.0: The block is bound to a different conversation';
    stage.upstream.script = (call) => {
      if (call.body.includes('cache_control')) call.answer(400, apiError('invalid_request_error', text));
      else call.answer(200, ANSWER);
    };
    expect((await say(stage)).status).toBe(200);
  });
});

describe('a 400 that is not ours', () => {
  it('because it is about something else, is passed on byte for byte after one call', async () => {
    const stage = await startStage();
    const body =
      '{ "type":"error",\n"error":{"type":"invalid_request_error","message":"max_tokens: too large \\u00fc"} }';
    stage.upstream.script = (call) => call.answer(400, body, { 'request-id': 'req_9', 'x-should-retry': 'false' });
    const response = await say(stage);
    expect([response.status, response.text]).toEqual([400, body]);
    expect(response.headers).toMatchObject({ 'request-id': 'req_9', 'x-should-retry': 'false' });
    expect(response.headers['x-slipstream-cache']).toBe('off; reason=no-usage');
    expect(stage.upstream.calls).toHaveLength(1);
    expect(stage.upstream.calls[0]?.body.includes('cache_control')).toBe(true);
    expect((await stage.metrics()).sum('slipstream_retries_total')).toBe(0);
  });

  it.each([
    ['too short to be marked', JSON.stringify(ask({ system: 'short' }))],
    ['marked by its caller in every slot', JSON.stringify(ask({ system: [1, 2, 3, 4].map((at) => block(textOf(`${at}`, 1_200), '5m')) }))], // prettier-ignore
  ])(
    'because the body was not touched (%s), is passed on after one call though it names cache_control',
    async (_, body) => {
      const stage = await startStage();
      stage.upstream.script = (call) => call.answer(400, ABOUT_MARKERS);
      const response = await say(stage, body);
      expect([response.status, response.json()]).toEqual([400, ABOUT_MARKERS]);
      expect(stage.upstream.calls.map((call) => call.body.toString())).toEqual([body]);
    },
  );

  it('is no reason to keep others waiting: those behind it go on at once', async () => {
    const stage = await startStage();
    stage.upstream.script = (call) => call.answer(400, apiError('invalid_request_error', 'max_tokens: too large'));
    const answers = await Promise.all(Array.from({ length: 4 }, () => say(stage)));
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
    expect(stage.upstream.calls).toHaveLength(4);
  });

  it('a body in which nothing is certain is not touched at all', async () => {
    const stage = await startStage();
    stage.upstream.script = (call) => call.answer(200, ANSWER);
    const odd = JSON.stringify(
      ask({ system: textOf('Be kind.', 3_000), messages: [user([{ type: 'text', text: 'x', cache_control: 'yes' }])] }),
    );
    const response = await say(stage, odd);
    expect(response.headers['x-slipstream-cache']).toBe('off; reason=unreadable');
    expect(stage.upstream.calls[0]?.body.toString()).toBe(odd);
  });
});
