import { describe, expect, it, onTestFinished } from 'vitest';
import {
  apiError,
  BLOCK_START,
  event,
  message,
  messageStart,
  streamHead,
  wholeStream,
} from '../support/claude-answers.ts';
import { eventually } from '../support/eventually.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { ACME_KEY, asking, managed, UPSTREAM_KEY, useStage, type Stage } from '../support/gateway-under-test.ts';
import { startScriptedUpstream, type ScriptedUpstream, type UpstreamCall } from '../support/scripted-upstream.ts';

/** What fails before its first content is asked again, and the caller sees one answer that is all upstream's. */

const start = useStage();
const RETRIES = 4;

const OVERLOADED_EVENT = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });

function stream(text: string): (call: UpstreamCall) => void {
  return (call) => {
    call.sse({ 'request-id': 'req_of_the_answer' });
    call.write(text);
    call.end();
  };
}

const FAILURES: Readonly<Record<string, (call: UpstreamCall) => void>> = {
  'a 529': (call) => call.answer(529, apiError('overloaded_error')),
  'a 500': (call) => call.answer(500, apiError('api_error')),
  'a 503 that is HTML': (call) => call.answer(503, '<html>busy</html>', { 'content-type': 'text/html' }),
  'a 429': (call) => call.answer(429, apiError('rate_limit_error'), { 'retry-after-ms': '300' }),
  'a reset before its head': (call) => call.reset(),
  'an error event before any content': stream(messageStart() + OVERLOADED_EVENT),
  'an error event in place of message_start': stream(OVERLOADED_EVENT),
  'a stream that ends before any content': stream(messageStart()),
  'a stream that breaks before any content'(call) {
    call.sse();
    call.write(messageStart());
    call.reset();
  },
};

/** The clock moves on until the exchange with this index is over. */
async function untilRecorded(stage: Stage, clock: FakeClock, index = 0): Promise<void> {
  await eventually(`exchange ${index} is over`, 8_000, async () => {
    await clock.advance(250);
    return stage.records.length > index;
  });
}

async function failing(scripts: readonly ((call: UpstreamCall) => void)[], settings = managed('', '', RETRIES)) {
  const clock = createFakeClock();
  const stage = await start({ settings, clock });
  let next = 0;
  stage.upstream.script = (call) => scripts[Math.min(next++, scripts.length - 1)]?.(call);
  const client = await stage.connect();
  return { stage, clock, client };
}

describe('one failure, then an answer', () => {
  it.each(Object.entries(FAILURES))('%s is never seen by the caller', async (_name, fail) => {
    const { stage, clock } = await failing([fail, stream(wholeStream({ input_tokens: 9, output_tokens: 1 }, 5))]);
    const answer = stage.ask(asking());
    await untilRecorded(stage, clock);
    const response = await answer;
    expect(response).toMatchObject({ status: 200, ending: 'whole' });
    expect(response.text).toBe(wholeStream({ input_tokens: 9, output_tokens: 1 }, 5));
    expect(response.headers['request-id']).toBe('req_of_the_answer');
    expect(stage.upstream.calls).toHaveLength(2);
    const metrics = await stage.metrics();
    expect(metrics.sum('slipstream_retries_total')).toBe(1);
    expect(metrics.sum('slipstream_upstream_attempts_total')).toBe(2);
    expect(metrics.sum('slipstream_requests_total')).toBe(1);
    expect(metrics.sum('slipstream_streams_total')).toBe(1);
    expect(metrics.sum('slipstream_input_tokens_total')).toBe(9);
    expect(stage.records[0]?.attempts).toHaveLength(2);
  });

  it('the same bytes and headers are sent again', async () => {
    const { stage, clock } = await failing([FAILURES['a 529']!, (call) => call.answer(200, message())]);
    const answer = stage.ask(asking({ headers: { 'anthropic-beta': 'one,two' } }));
    await untilRecorded(stage, clock);
    await answer;
    const [first, second] = stage.upstream.calls;
    expect(second?.body.equals(first?.body as Buffer)).toBe(true);
    expect(second?.headers).toEqual(first?.headers);
  });
});

describe('what is not asked again', () => {
  const NO = { 'x-should-retry': 'false' };
  it.each<[string, (call: UpstreamCall) => void, number]>([
    ['a request that is wrong', (call) => call.answer(400, apiError('invalid_request_error')), 400],
    ['one that is too large', (call) => call.answer(413, apiError('request_too_large')), 413],
    ['what upstream says not to', (call) => call.answer(529, apiError('overloaded_error'), NO), 529],
    [
      'money that has run out',
      (call) =>
        call.answer(429, {
          type: 'error',
          error: { type: 'rate_limit_error', message: 'x', details: { error_code: 'enforced_spend_limit_reached' } },
        }),
      429,
    ],
    [
      'a rate limit that lasts longer than anybody waits',
      (call) => call.answer(429, apiError('rate_limit_error'), { 'retry-after': '3600' }),
      429,
    ],
    ['a stream that breaks after content', stream(streamHead()), 200],
  ])('%s', async (_name, script, status) => {
    const { stage, clock } = await failing([script]);
    const answer = stage.ask(asking());
    await untilRecorded(stage, clock);
    expect((await answer).status).toBe(status);
    expect(stage.upstream.calls).toHaveLength(1);
  });

  it('and its headers are those of upstream, x-should-retry and retry-after too', async () => {
    const headers = { 'retry-after': '3600', 'x-should-retry': 'true', 'request-id': 'req_1' };
    const { stage, clock } = await failing([(call) => call.answer(429, apiError('rate_limit_error'), headers)]);
    const answer = stage.ask(asking());
    await untilRecorded(stage, clock);
    expect((await answer).headers).toMatchObject(headers);
  });
});

describe('when all retries have failed', () => {
  it('the caller sees upstream’s own error, and that asking again is of no use', async () => {
    const body = apiError('overloaded_error', 'the last one');
    const { stage, clock } = await failing([(call) => call.answer(529, body, { 'request-id': 'req_last' })]);
    const answer = stage.ask(asking());
    await untilRecorded(stage, clock);
    const response = await answer;
    expect(response).toMatchObject({ status: 529, ending: 'whole' });
    expect(response.headers).toMatchObject({ 'x-should-retry': 'false', 'request-id': 'req_last' });
    expect(response.json()).toEqual(body);
    expect(stage.upstream.calls).toHaveLength(1 + RETRIES);
  });

  it('an error event arrives in its stream as it came', async () => {
    const { stage, clock } = await failing([stream(messageStart() + OVERLOADED_EVENT)]);
    const answer = stage.ask(asking());
    await untilRecorded(stage, clock);
    const response = await answer;
    expect(response).toMatchObject({ status: 200, ending: 'whole', text: messageStart() + OVERLOADED_EVENT });
    expect(response.headers['x-should-retry']).toBe('false');
    expect(stage.records[0]).toMatchObject({ end: 'upstream_error' });
  });

  it('a connection that always breaks is a 502 that says not to ask again', async () => {
    const { stage, clock } = await failing([(call) => call.reset()]);
    const answer = stage.ask(asking());
    await untilRecorded(stage, clock);
    expect(await answer).toMatchObject({ status: 502, headers: { 'x-should-retry': 'false' } });
  });
});

describe('a caller that leaves between two calls', () => {
  it.each(['fin', 'reset'] as const)('by %s is asked for no more', async (how) => {
    const clock = createFakeClock();
    const stage = await start({ settings: managed('', '', RETRIES), clock });
    const { client, call } = await stage.open();
    call.answer(529, apiError('overloaded_error'));
    await eventually('the call is over', 10_000, () => call.state !== 'open' && clock.pending > 0);
    client[how]();
    expect(await stage.record(0)).toMatchObject({ status: 499, end: 'client_abort' });
    await clock.advance(60_000);
    expect(stage.upstream.calls).toHaveLength(1);
  });
});

describe('with a second upstream', () => {
  async function twoUpstreams() {
    const second = await startScriptedUpstream();
    onTestFinished(() => second.close());
    const clock = createFakeClock();
    const settings = (url: string): string => `
upstreams:
  - { id: first, baseUrl: "${url}", apiKey: ${UPSTREAM_KEY} }
  - { id: second, baseUrl: "${second.url}", apiKey: key-of-the-second }
tenants:
  - { id: acme, keys: [${ACME_KEY}] }
`;
    const stage = await start({ settings, clock });
    return { stage, clock, second };
  }

  const answerWell = (upstream: ScriptedUpstream): void => {
    upstream.script = (call) => call.answer(200, message());
  };

  it('what fails at one is asked at the other, at once', async () => {
    const { stage, clock, second } = await twoUpstreams();
    stage.upstream.script = (call) => call.answer(529, apiError('overloaded_error'), { 'retry-after': '20' });
    answerWell(second);
    const answer = stage.ask(asking());
    await eventually('the other is asked', 10_000, async () => {
      await clock.advance(10);
      return second.calls.length === 1;
    });
    expect((await answer).status).toBe(200);
    expect(clock.nowMs()).toBeLessThan(1_000);
    expect(second.calls[0]?.headers['x-api-key'] ?? second.calls[0]?.headers['authorization']).toContain('second');
  });

  it('a key that is refused is taken out, and neither it nor the refusal is shown', async () => {
    const { stage, clock, second } = await twoUpstreams();
    stage.upstream.script = (call) => call.answer(401, apiError('authentication_error', `bad ${UPSTREAM_KEY}`));
    answerWell(second);
    for (let index = 0; index < 3; index++) {
      const answer = stage.ask(asking());
      await untilRecorded(stage, clock, index);
      expect((await answer).status).toBe(200);
    }
    expect(stage.upstream.calls).toHaveLength(1);
    const state = { upstream: 'first', state: 'credential_refused' };
    expect((await stage.metrics()).sum('slipstream_upstream_state', state)).toBe(1);
  });

  it('a thinking conversation is not moved: its blocks could not be read elsewhere', async () => {
    const { stage, clock, second } = await twoUpstreams();
    const thinking = { type: 'thinking', thinking: 'hm', signature: 'c2ln' };
    const body = JSON.stringify({
      model: 'claude-sonnet-5',
      max_tokens: 64,
      stream: true,
      messages: [
        { role: 'user', content: 'one' },
        { role: 'assistant', content: [thinking, { type: 'text', text: 'two' }] },
        { role: 'user', content: 'three' },
      ],
    });
    let calls = 0;
    stage.upstream.script = (call) => {
      if (++calls === 2) call.answer(529, apiError('overloaded_error'));
      else stream(wholeStream())(call);
    };
    answerWell(second);
    for (let index = 0; index < 2; index++) {
      const answer = stage.ask(asking({ body, headers: { 'x-claude-code-session-id': 'session-1' } }));
      await untilRecorded(stage, clock, index);
      expect((await answer).status).toBe(200);
    }
    expect([stage.upstream.calls.length, second.calls.length]).toEqual([3, 0]);
  });
});

describe('an upstream that is down', () => {
  it('is asked no more for a while, then by one call, and is back with its first content', async () => {
    const clock = createFakeClock();
    const stage = await start({ clock });
    stage.upstream.script = (call) => call.answer(500, apiError('api_error'));
    for (let index = 0; index < 5; index++) await stage.ask(asking());
    const refused = await stage.ask(asking());
    expect(refused.status).toBe(503);
    expect(refused.json()).toMatchObject({ error: { type: 'overloaded_error' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(stage.upstream.calls).toHaveLength(5);

    await clock.advance(1_000);
    stage.upstream.script = () => {};
    const probe = await stage.open();
    expect((await stage.ask(asking())).status).toBe(503);
    probe.call.sse();
    probe.call.write(messageStart() + BLOCK_START);
    await probe.client.head();
    stage.upstream.script = (call) => call.answer(200, message());
    expect((await stage.ask(asking())).status).toBe(200);
  });
});
