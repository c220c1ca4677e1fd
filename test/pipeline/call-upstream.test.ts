import { beforeEach, describe, expect, it } from 'vitest';
import type { GatewayRequest } from '../../src/core/exchange.ts';
import { createTenantLabels } from '../../src/metrics/labels.ts';
import { attemptOutcome, callUpstream } from '../../src/pipeline/call-upstream.ts';
import type { RoutedUpstream } from '../../src/pipeline/upstream.ts';
import { withRouting } from '../../src/pipeline/with-routing.ts';
import { message, streamHead } from '../support/claude-answers.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { contextOf, createRecordedMetrics, createScriptedUpstream, requestOf, tenantOf, type RecordedMetrics, type ScriptedContext, type ScriptedUpstream } from './scripted.ts'; // prettier-ignore

let clock: FakeClock;
let metrics: RecordedMetrics;
let upstream: ScriptedUpstream;
let context: ScriptedContext;
let asked: (readonly string[])[];
beforeEach(() => {
  clock = createFakeClock();
  metrics = createRecordedMetrics();
  upstream = createScriptedUpstream();
  context = contextOf(clock, tenantOf({ upstreams: ['main', 'spare'] }));
  asked = [];
});

function call(request: Partial<GatewayRequest>, credential: RoutedUpstream['credential'] = 'own') {
  const route = (ids: readonly string[]): RoutedUpstream => {
    asked.push(ids);
    return { upstream, credential, cacheDomain: 'main', stripsAttribution: true };
  };
  const service = withRouting({ route })(callUpstream({ clock, metrics, tenantLabels: createTenantLabels() }));
  return service(requestOf(request), context);
}

describe('callUpstream', () => {
  it('sends method, target and the caller’s very bytes to the upstream that the route gives for the tenant', async () => {
    const body = new TextEncoder().encode('{"a" : 1.0, "a":2}');
    const outcome = call({ target: '/v1/messages?beta=true&beta=true', body });
    upstream.end({ kind: 'failed', code: 'upstream_unreachable' });
    await outcome;
    expect(asked).toEqual([['main', 'spare']]);
    expect(upstream.calls).toMatchObject([{ method: 'POST', target: '/v1/messages?beta=true&beta=true' }]);
    expect(upstream.calls[0]?.body).toBe(body);
    expect(upstream.calls[0]?.signal).toBe(context.signal);
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
    upstream.end({ kind: 'ended' });
    await outcome;
    expect(context.reply.head?.headers['anthropic-ratelimit-requests-limit']).toBe(limit);
  });

  it('has no open stream left when one is over, however it ended', async () => {
    const outcome = call({});
    const gauge = 'slipstream_open_streams{tenant="acme"}';
    upstream.head(200, { 'content-type': 'text/event-stream' });
    upstream.chunk(streamHead());
    expect(metrics.values[gauge]).toBe(1);
    upstream.end({ kind: 'failed', code: 'upstream_broken' });
    await outcome;
    expect(metrics.values[gauge]).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('counts the call once, under the upstream and what came of it', async () => {
    const outcome = call({});
    upstream.head(529, { 'content-type': 'application/json' });
    upstream.end({ kind: 'ended' });
    expect(await outcome).toMatchObject({ kind: 'answered', status: 529 });
    const series = 'slipstream_upstream_attempts_total{upstream="main",outcome="overloaded"}';
    expect(metrics.values).toEqual({ [series]: 1 });
  });

  it('notes when it was sent and when its head came', async () => {
    await clock.advance(30);
    const outcome = call({});
    await clock.advance(70);
    upstream.head(200, { 'content-type': 'application/json' });
    upstream.end({ kind: 'ended' });
    await outcome;
    expect(context.timings).toMatchObject({ upstreamSentAtMs: 30, upstreamHeadAtMs: 100 });
  });
});

describe('attemptOutcome', () => {
  const [ended, aborted] = [{ kind: 'ended' }, { kind: 'aborted' }] as const;
  const failed = (code: 'upstream_timeout' | 'upstream_broken' | 'upstream_unreachable') =>
    ({ kind: 'failed', code }) as const;
  it.each([
    [200, ended, 'ok'],
    [200, aborted, 'ok'],
    [200, failed('upstream_broken'), 'network'],
    [304, ended, 'ok'],
    [400, ended, 'client_error'],
    [401, failed('upstream_broken'), 'client_error'],
    [429, ended, 'rate_limited'],
    [500, ended, 'server_error'],
    [529, ended, 'overloaded'],
    [null, failed('upstream_timeout'), 'timeout'],
    [null, failed('upstream_unreachable'), 'network'],
    [null, failed('upstream_broken'), 'network'],
    [null, aborted, 'client_abort'],
  ] as const)('of status %j and end %j is %s', (status, end, outcome) => {
    expect(attemptOutcome(status, end)).toBe(outcome);
  });
});
