import { beforeEach, describe, expect, it } from 'vitest';
import { NO_WATCH, type GatewayRequest } from '../../src/core/exchange.ts';
import { createRetryBudget } from '../../src/core/failures/retry-budget.ts';
import { createTenantLabels } from '../../src/metrics/labels.ts';
import { callUpstream } from '../../src/pipeline/call-upstream.ts';
import { FIRST_ATTEMPT, type Context } from '../../src/pipeline/service.ts';
import type { RoutedUpstream, UpstreamEnd } from '../../src/pipeline/upstream.ts';
import { message, messageStart, streamHead } from '../support/claude-answers.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { contextOf, createRecordedMetrics, createScriptedUpstream, requestOf, tenantOf, type RecordedMetrics, type ScriptedContext, type ScriptedUpstream } from './scripted.ts'; // prettier-ignore

const ENDED: UpstreamEnd = { kind: 'ended' };
const HANG_UP_DRAIN_MS = 60_000;

let clock: FakeClock;
let metrics: RecordedMetrics;
let upstream: ScriptedUpstream;
let context: ScriptedContext;
beforeEach(() => {
  clock = createFakeClock();
  metrics = createRecordedMetrics();
  upstream = createScriptedUpstream();
  context = contextOf(clock);
});

function call(
  request: Partial<GatewayRequest> = {},
  credential: RoutedUpstream['credential'] = 'own',
  part: Partial<Context> = {},
) {
  const routed = { upstream, credential, cacheDomain: 'main', stripsAttribution: true };
  const relayLimits = () => ({ streamIdleMs: 300_000, hangUpDrainMs: HANG_UP_DRAIN_MS });
  const service = callUpstream({
    clock,
    metrics,
    tenantLabels: createTenantLabels(),
    relayLimits,
    stopped: new AbortController().signal,
    retryBudget: createRetryBudget(),
    maxRetries: () => 4,
    random: () => 0,
  });
  return service(requestOf(request), { ...context, routed, ...part });
}

describe('callUpstream', () => {
  it('sends method, target and the caller’s very bytes to the upstream that was chosen', async () => {
    const body = new TextEncoder().encode('{"a" : 1.0, "a":2}');
    const outcome = call({ target: '/v1/messages?beta=true&beta=true', body });
    upstream.end({ kind: 'failed', code: 'upstream_unreachable' });
    await outcome;
    expect(upstream.calls).toMatchObject([{ method: 'POST', target: '/v1/messages?beta=true&beta=true' }]);
    expect(upstream.calls[0]?.body).toBe(body);
  });

  it('refuses to guess where a request goes that was not routed', async () => {
    await expect(call({}, 'own', { routed: null })).rejects.toThrow('not routed');
  });

  it.each([
    ['own', {}],
    ['caller', { 'x-api-key': 'sk-caller', authorization: 'Bearer sk-caller' }],
  ] as const)('with the credential of %s sends of the caller’s headers %j', async (credential, credentials) => {
    const headers = {
      'x-api-key': 'sk-caller',
      authorization: 'Bearer sk-caller',
      'anthropic-beta': 'a,b',
      host: 'gateway',
    };
    const outcome = call({ headers }, credential);
    upstream.end({ kind: 'aborted' });
    await outcome;
    expect(upstream.calls[0]?.headers).toEqual({ 'anthropic-beta': 'a,b', ...credentials });
  });

  it.each([
    ['own', undefined],
    ['caller', '9'],
  ] as const)('with the credential of %s answers with a rate limit of %s', async (credential, limit) => {
    const outcome = call({}, credential);
    upstream.head(200, { 'content-type': 'application/json', 'anthropic-ratelimit-requests-limit': '9' });
    upstream.chunk(JSON.stringify(message()));
    upstream.end(ENDED);
    await outcome;
    expect(context.reply.head?.headers['anthropic-ratelimit-requests-limit']).toBe(limit);
  });

  it('has no open stream left when one is over, however it ended', async () => {
    const outcome = call();
    const gauge = 'slipstream_open_streams{tenant="acme"}';
    upstream.head(200, { 'content-type': 'text/event-stream' });
    upstream.chunk(streamHead());
    expect(metrics.values[gauge]).toBe(1);
    upstream.end({ kind: 'failed', code: 'upstream_broken' });
    await outcome;
    expect(metrics.values[gauge]).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('shows the head of every answer to the layer that reads its rate limits, before anything of it is sent', async () => {
    const heads: unknown[] = [];
    const onHead: Context['onHead'] = ({ status, headers }) =>
      heads.push([status, headers['anthropic-ratelimit-tokens-remaining'], context.reply.isOpen]);
    const outcome = call({ operation: 'models' }, 'own', { onHead });
    upstream.head(200, { 'anthropic-ratelimit-tokens-remaining': '7' });
    upstream.end(ENDED);
    await outcome;
    expect(heads).toEqual([[200, '7', false]]);
  });

  it('says when it goes out, and when content begins, once, with the message’s id', async () => {
    const said: string[] = [];
    const watch = { ...NO_WATCH, onSend: () => void said.push('sent') };
    const outcome = call({}, 'own', { watch, onContent: (id) => void said.push(`content of ${id}`) });
    expect(said).toEqual(['sent']);
    upstream.head(200, { 'content-type': 'text/event-stream' });
    upstream.chunk(messageStart());
    expect(said).toEqual(['sent']);
    upstream.chunk(streamHead().slice(messageStart().length));
    upstream.chunk(streamHead().slice(messageStart().length));
    expect(said).toEqual(['sent', 'content of msg_1']);
    upstream.end(ENDED);
    await outcome;
  });
});

describe('a JSON message', () => {
  it('says that content has begun when it is whole, with its id', async () => {
    const ids: (string | null)[] = [];
    const outcome = call({}, 'own', { onContent: (id) => void ids.push(id) });
    upstream.head(200, { 'content-type': 'application/json' });
    upstream.chunk(JSON.stringify(message()));
    expect(ids).toEqual([]);
    upstream.end(ENDED);
    await outcome;
    expect(ids).toEqual(['msg_1']);
  });

  it('that breaks off says nothing of the kind', async () => {
    const ids: (string | null)[] = [];
    const outcome = call({}, 'own', { onContent: (id) => void ids.push(id) });
    upstream.head(200, { 'content-type': 'application/json' });
    upstream.chunk(' '.repeat(1024 * 1024)); // too long to be kept: what there is of it is sent
    upstream.chunk(JSON.stringify(message()).slice(0, -1));
    upstream.end({ kind: 'failed', code: 'upstream_broken' });
    await outcome;
    expect(ids).toEqual([]);
  });
});

describe('a call', () => {
  it('is counted once, under the upstream and what came of it, and left as a note', async () => {
    await clock.advance(30);
    const outcome = call();
    await clock.advance(70);
    upstream.head(529, { 'content-type': 'application/json' });
    await clock.advance(5);
    expect(context.notes.attempts).toEqual([]);
    upstream.end(ENDED);
    expect(await outcome).toMatchObject({ kind: 'held', status: 529 });
    const series = 'slipstream_upstream_attempts_total{upstream="main",outcome="overloaded"}';
    expect(metrics.values).toEqual({ [series]: 1 });
    const note = { upstream: 'main', outcome: 'overloaded', status: 529, sentAtMs: 30, endedAtMs: 105 };
    expect(context.notes.attempts).toEqual([note]);
  });

  it('that ended before its head is noted without a status', async () => {
    const outcome = call();
    upstream.end({ kind: 'failed', code: 'upstream_timeout' });
    await outcome;
    expect(context.notes.attempts).toMatchObject([{ outcome: 'timeout', status: null }]);
  });

  it('notes when it was sent and when its head came', async () => {
    await clock.advance(30);
    const outcome = call();
    await clock.advance(70);
    upstream.head(200, { 'content-type': 'application/json' });
    upstream.end(ENDED);
    await outcome;
    expect(context.timings).toMatchObject({ firstSentAtMs: 30, upstreamSentAtMs: 30, upstreamHeadAtMs: 100 });
  });

  it('begins after all waiting: the gateway’s own time is what is left without queue and hold', async () => {
    Object.assign(context.timings, { queueMs: 20, holdMs: 5 });
    await clock.advance(30);
    const outcome = call({ receivedAtMs: 2 });
    upstream.end({ kind: 'aborted' });
    await outcome;
    expect(context.timings.overheadMs).toBe(3);
  });

  it('that is the second leaves the first one’s time and overhead, and forgets its head', async () => {
    const first = call();
    upstream.head(529);
    upstream.end(ENDED);
    await first;
    await clock.advance(1_000);
    const second = call();
    expect(context.timings).toMatchObject({
      firstSentAtMs: 0,
      upstreamSentAtMs: 1_000,
      upstreamHeadAtMs: null,
      overheadMs: 0,
    });
    upstream.end({ kind: 'aborted' });
    await second;
    expect(context.notes.attempts).toHaveLength(2);
  });

  it('is a retry only when it is made, under the upstream and the reason of the one that failed', async () => {
    const retryOf = { upstream: 'other', reason: 'acceleration' } as const;
    const outcome = call({}, 'own', { attempt: { failedAt: new Set(['other']), retryOf } });
    const series = 'slipstream_retries_total{upstream="other",reason="rate_limited"}';
    expect(metrics.values).toEqual({ [series]: 1 });
    upstream.end({ kind: 'aborted' });
    await outcome;
    expect(metrics.values[series]).toBe(1);
  });

  it('that is the first is no retry', async () => {
    const outcome = call({}, 'own', { attempt: FIRST_ATTEMPT });
    upstream.end({ kind: 'aborted' });
    await outcome;
    expect(Object.keys(metrics.values).filter((series) => series.includes('retries'))).toEqual([]);
  });
});

describe('a caller that leaves', () => {
  it.each([
    ['cancel', true],
    ['drain', false],
  ] as const)('with hangUp %s ends the upstream call in the same tick: %s', async (hangUp, isOver) => {
    context = contextOf(clock, tenantOf({ hangUp }));
    const outcome = call();
    upstream.head(200, { 'content-type': 'text/event-stream' });
    upstream.chunk(streamHead());
    context.leave();
    expect(upstream.calls[0]?.signal.aborted).toBe(isOver);
    upstream.end(isOver ? { kind: 'aborted' } : ENDED);
    expect(await outcome).toMatchObject({ kind: 'answered', end: 'client_abort', usage: { uncachedInput: 12 } });
    expect(clock.pending).toBe(0);
  });

  it('with hangUp drain is read for to the end: the usage is that of the whole', async () => {
    context = contextOf(clock, tenantOf({ hangUp: 'drain' }));
    const outcome = call();
    upstream.head(200, { 'content-type': 'application/json' });
    context.leave();
    await clock.advance(HANG_UP_DRAIN_MS - 1);
    upstream.chunk(JSON.stringify(message({ input_tokens: 12, output_tokens: 900 })));
    upstream.end(ENDED);
    expect(await outcome).toMatchObject({ end: 'client_abort', usage: { output: 900 } });
    expect(clock.pending).toBe(0);
  });

  it('with hangUp drain is read for no longer than the bound', async () => {
    context = contextOf(clock, tenantOf({ hangUp: 'drain' }));
    const outcome = call();
    context.leave();
    await clock.advance(HANG_UP_DRAIN_MS);
    expect(upstream.calls[0]?.signal.reason).toBe('caller_gone');
    upstream.end({ kind: 'aborted' });
    expect(await outcome).toMatchObject({ kind: 'abandoned' });
  });
});
