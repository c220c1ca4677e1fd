import { beforeEach, describe, expect, it } from 'vitest';
import type { GatewayRequest, Outcome } from '../../src/core/exchange.ts';
import type { Context, Service } from '../../src/pipeline/service.ts';
import { withCapacity } from '../../src/pipeline/with-capacity.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { createScriptedCapacity, type ScriptedCapacity } from './capacity-under-test.ts';
import { answeredOf, contextOf, createScriptedUpstream, failureOf, heldOf, requestOf, tenantOf, usageOf, type ScriptedContext } from './scripted.ts'; // prettier-ignore

let clock: FakeClock;
let capacity: ScriptedCapacity;
let context: ScriptedContext;
let entered: number;
let answer: Service;
beforeEach(() => {
  clock = createFakeClock();
  capacity = createScriptedCapacity();
  context = contextOf(clock, tenantOf({ weight: 3, slots: { limit: 1, maxWaiters: 1, maxWaitMs: 30_000 } }));
  entered = 0;
  answer = async () => answeredOf();
});

const ROUTED = {
  upstream: createScriptedUpstream('spare'),
  credential: 'own',
  cacheDomain: 'main',
  stripsAttribution: true,
} as const;

function send(part: Partial<GatewayRequest> = {}, changes: Partial<Context> = {}): Promise<Outcome> {
  const scale = { tokensPerByte: () => 0.25, learn: () => {} };
  const service = withCapacity({ capacity, scale })((request, within) => {
    entered++;
    return answer(request, within);
  });
  return service(requestOf(part), { ...context, routed: ROUTED, ...changes });
}

describe('the slot of an upstream', () => {
  it('is asked for in the tenant’s name and weight, at the upstream that was chosen, with the exchange’s signal', async () => {
    await send();
    expect(capacity.asked).toMatchObject([{ upstream: 'spare', tenant: 'acme', weight: 3 }]);
    expect(capacity.asked[0]?.signal).toBe(context.signal);
  });

  it('is asked for with the tokens that the plan expects to be charged in full', async () => {
    await send({ body: new Uint8Array(4_000) }, { expectedInputTokens: 17 });
    expect(capacity.asked[0]?.inputTokens).toBe(17);
  });

  it('is asked for with all of the body where there is no plan', async () => {
    await send({ body: new Uint8Array(4_000) });
    await send({ body: null });
    expect(capacity.asked.map(({ inputTokens }) => inputTokens)).toEqual([1_000, 0]);
  });

  it('may be waited for with what is left of the tenant’s patience, and not less than nothing', async () => {
    await clock.advance(10_000);
    await send({ receivedAtMs: 4_000 });
    await clock.advance(40_000);
    await send({ receivedAtMs: 4_000 });
    expect(capacity.asked.map(({ maxWaitMs }) => maxWaitMs)).toEqual([24_000, 0]);
  });

  it('is held until the inner service is over', async () => {
    const gate = Promise.withResolvers<Outcome>();
    answer = () => gate.promise;
    const outcome = send();
    await clock.advance(5_000);
    expect(capacity.released).toEqual([]);
    gate.resolve(answeredOf());
    expect(await outcome).toEqual(answeredOf());
    expect(capacity.released).toHaveLength(1);
  });

  it('is shown the headers of the answer as they come', async () => {
    const headers = { 'anthropic-ratelimit-tokens-remaining': '7' };
    answer = async (_request, { onHead }) => (onHead({ status: 200, headers }), answeredOf());
    await send();
    expect(capacity.heads).toEqual([headers]);
  });

  it('is shown none of what the limits of a caller’s own key are: others would be steered by them', async () => {
    const headers = { 'anthropic-ratelimit-tokens-remaining': '7' };
    answer = async (_request, { onHead }) => (onHead({ status: 200, headers }), answeredOf());
    await send({}, { routed: { ...ROUTED, credential: 'caller' } });
    expect(capacity.heads).toEqual([{}]);
  });

  it.each<GatewayRequest['operation']>(['count_tokens', 'models', 'other'])(
    'is not taken for %s',
    async (operation) => {
      await send({ operation });
      expect([entered, capacity.asked, context.timings.queueMs]).toEqual([1, [], null]);
    },
  );
});

describe('a slot is given back', () => {
  it('with the time to the first content and the tokens that no cache gave', async () => {
    answer = async (_request, { timings }) => {
      Object.assign(timings, { upstreamSentAtMs: 100, firstContentAtMs: 450 });
      return answeredOf({ usage: usageOf({ uncachedInput: 7, cacheWrite5m: 3, cacheRead: 900 }) });
    };
    await send();
    expect(capacity.released).toEqual([{ kind: 'ok', ttftMs: 350, uncachedTokens: 10 }]);
  });

  it('with the failure of the upstream', async () => {
    answer = async () => heldOf(529, failureOf('overloaded'));
    await send();
    expect(capacity.released).toEqual([{ kind: 'failed', failure: failureOf('overloaded') }]);
  });

  it.each<[string, Service]>([
    ['whose caller left', async () => ({ kind: 'abandoned' })],
    ['that was wrong itself', async () => heldOf(400, null)],
    ['that ended in a bug', () => Promise.reject(new Error('a bug'))],
  ])('once and with nothing learned by a request %s', async (_which, service) => {
    answer = service;
    await send().catch(() => null);
    expect(capacity.released).toEqual([{ kind: 'ignored' }]);
  });
});

describe('where no slot comes free', () => {
  it.each(['timed_out', 'full'] as const)(
    '(%s) the request is refused with the real estimate, and goes nowhere',
    async (kind) => {
      capacity.decide = async () => ({ kind, retryAfterMs: 6_200 });
      const refusal = { code: 'upstream_busy', retryAfterSeconds: 7 };
      expect(await send()).toEqual({ kind: 'refused', refusal });
      expect([entered, capacity.released]).toEqual([0, []]);
    },
  );

  it('and the caller leaves, the exchange is abandoned', async () => {
    capacity.decide = async () => ({ kind: 'abandoned' });
    expect(await send()).toEqual({ kind: 'abandoned' });
    expect(entered).toBe(0);
  });
});

it.each([
  [null, 400],
  [250, 650],
])('the wait is added to the one for the tenant’s slot, if there was one: %s makes %d ms', async (before, after) => {
  context.timings.queueMs = before;
  const gate = Promise.withResolvers<'grant'>();
  capacity.decide = () => gate.promise;
  const outcome = send();
  await clock.advance(400);
  gate.resolve('grant');
  await outcome;
  expect(context.timings.queueMs).toBe(after);
});
