import { beforeEach, describe, expect, it } from 'vitest';
import type { GatewayRequest, Outcome } from '../../src/core/exchange.ts';
import type { Service } from '../../src/pipeline/service.ts';
import { hasElsewhere } from '../../src/pipeline/with-routing.ts';
import { entryOf, fleetOf, takeOut } from './fleet-under-test.ts';
import { ofSession, refusalOf, useRouting } from './routing-under-test.ts';
import { answeredOf, failureOf, heldOf, requestOf } from './scripted.ts';

/** What calls teach of an upstream's health, and who is asked while one is out of service. */

const stage = useRouting();

describe('an upstream that is out of service', () => {
  it('is not asked while another is in', async () => {
    takeOut(stage.fleet, 'a', 0);
    await stage.send();
    await stage.send(ofSession('one'));
    expect(stage.chosen()).toEqual(['b', 'b']);
  });

  it('is asked again when its wait is over, by one request, whose first content puts it back', async () => {
    takeOut(stage.fleet, 'a', 0);
    await stage.clock.advance(1_000);
    const [began, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    stage.answer = async (_request, { onContent }) => {
      await began.promise;
      onContent('msg_1');
      await ended.promise;
      return answeredOf();
    };
    const both = [stage.send(), stage.send()];
    expect(stage.chosen()).toEqual(['a', 'b']);
    began.resolve();
    await stage.clock.advance(0);
    expect(stage.moves).toEqual(['a: half_open to closed']);
    ended.resolve();
    await Promise.all(both);
    expect(stage.moves).toHaveLength(1);
  });

  it('tells the caller when to ask again where there is no other, and is not called', async () => {
    for (const id of ['a', 'b', 'c']) takeOut(stage.fleet, id, 0, 'credential_refused');
    await stage.clock.advance(1_500);
    const outcome = await stage.send();
    expect(refusalOf(outcome)).toEqual({ code: 'upstream_unavailable', retryAfterSeconds: 4 });
    expect(outcome).toMatchObject({ failure: { kind: 'network', retryAfterMs: 3_500 } });
    expect(stage.reached).toEqual([]);
  });

  it('tells the caller of the one that is tried again soonest', async () => {
    stage.tenantAt('a', 'b');
    takeOut(stage.fleet, 'a', 0);
    await stage.clock.advance(500);
    takeOut(stage.fleet, 'b', 500);
    await stage.clock.advance(100);
    expect(await stage.send()).toMatchObject({ failure: { retryAfterMs: 400 } });
  });

  it('is probed by one request at a time: who comes while all are probed is told to wait', async () => {
    for (const id of ['a', 'b', 'c']) takeOut(stage.fleet, id, 0);
    await stage.clock.advance(1_000);
    stage.answer = () => new Promise(() => {});
    for (let at = 0; at < 3; at++) void stage.send();
    expect(stage.chosen()).toEqual(['a', 'b', 'c']);
    expect(refusalOf(await stage.send())).toMatchObject({ code: 'upstream_unavailable' });
  });
});

describe('the breaker of an upstream', () => {
  beforeEach(() => {
    stage.tenantAt('a');
  });

  it('opens after five calls that broke, and says so once', async () => {
    stage.answer = async () => ({
      kind: 'refused',
      refusal: { code: 'upstream_broken' },
      failure: failureOf('network'),
    });
    for (let call = 0; call < 5; call++) await stage.send();
    expect([stage.state('a'), stage.moves]).toEqual(['open', ['a: closed to open']]);
  });

  it.each<[string, Outcome]>([
    ['callers that leave', { kind: 'abandoned' }],
    ['errors of the requests’ own', heldOf(400, null)],
    ['rate limits', heldOf(429, failureOf('rate_limited'))],
    ['refusals by the layers within', { kind: 'refused', refusal: { code: 'upstream_busy' } }],
  ])('stays closed for %s', async (_what, outcome) => {
    stage.answer = async () => outcome;
    for (let call = 0; call < 20; call++) await stage.send();
    expect([stage.state('a'), stage.moves]).toEqual(['closed', []]);
  });

  it('hears of streams that broke behind content', async () => {
    stage.answer = async (_request, { onContent }) => (
      onContent('msg_1'),
      answeredOf({ failure: failureOf('network') })
    );
    for (let call = 0; call < 5; call++) await stage.send();
    expect(stage.state('a')).toBe('open');
  });

  it.each<[string, Service]>([
    ['leaves', async () => ({ kind: 'abandoned' })],
    ['ends in a bug', () => Promise.reject(new Error('a bug'))],
  ])('lets the next one probe where the probe %s', async (_how, service) => {
    takeOut(stage.fleet, 'a', 0);
    await stage.clock.advance(1_000);
    stage.answer = service;
    await stage.send().catch(() => null);
    stage.answer = async () => answeredOf();
    expect(await stage.send()).toEqual(answeredOf());
    expect(stage.state('a')).toBe('closed');
  });

  it('goes on being out where the probe fails before its content', async () => {
    takeOut(stage.fleet, 'a', 0);
    await stage.clock.advance(1_000);
    stage.answer = async () => ({
      kind: 'refused',
      refusal: { code: 'upstream_broken' },
      failure: failureOf('network'),
    });
    await stage.send();
    expect([stage.state('a'), stage.moves]).toEqual(['open', ['a: half_open to open']]);
  });
});

describe('a credential that is refused', () => {
  const refusedKey = (status: number): Outcome => heldOf(status, failureOf('credential_refused'));

  it('of the gateway’s own takes its upstream out at once, and the caller is not told what was said of it', async () => {
    stage.answer = async () => refusedKey(401);
    const outcome = await stage.send();
    const failure = failureOf('credential_refused');
    expect(outcome).toEqual({ kind: 'refused', refusal: { code: 'upstream_credential_refused' }, failure });
    expect(stage.moves).toEqual(['a: closed to credential_refused']);
    await stage.send();
    expect(stage.chosen()).toEqual(['a', 'b']);
  });

  it('of the caller’s own is the caller’s to know, and changes nothing for others', async () => {
    stage.fleet = fleetOf(entryOf('a', { credential: 'caller' }));
    const outcome = heldOf(401, null);
    stage.answer = async () => outcome;
    expect(await stage.send()).toBe(outcome);
    expect(stage.moves).toEqual([]);
  });
});

describe('elsewhere', () => {
  const isElsewhere = (ids: readonly string[], part: Partial<GatewayRequest> = {}): boolean =>
    hasElsewhere(stage, requestOf(part), stage.context, new Set(ids));

  it('is any upstream of the tenant that has not failed this request and is in service', () => {
    expect([isElsewhere(['a']), isElsewhere(['a', 'b', 'c'])]).toEqual([true, false]);
    for (const id of ['b', 'c']) takeOut(stage.fleet, id, 0);
    expect(isElsewhere(['a'])).toBe(false);
  });

  it('is none where the tenant has one upstream', () => {
    stage.tenantAt('a');
    expect(isElsewhere(['a'])).toBe(false);
  });

  it('is no upstream that is only to be probed', async () => {
    for (const id of ['b', 'c']) takeOut(stage.fleet, id, 0);
    await stage.clock.advance(60_000);
    expect(isElsewhere(['a'])).toBe(false);
  });

  it('is for what is bound to its place another key of the same workspace, and nothing else', () => {
    stage.fleet = fleetOf(entryOf('a', { cacheDomain: 'one' }), entryOf('b', { cacheDomain: 'one' }), entryOf('c'));
    const prompt = { tie: 'thinking' } as NonNullable<GatewayRequest['prompt']>;
    expect([isElsewhere(['a'], { prompt }), isElsewhere(['a', 'b'], { prompt })]).toEqual([true, false]);
    expect(isElsewhere(['a', 'b'])).toBe(true);
  });
});
