import { beforeEach, describe, expect, it } from 'vitest';
import type { GatewayRequest, Outcome } from '../../src/core/exchange.ts';
import type { LimitSignal } from '../../src/core/limit.ts';
import { createTenantLabels } from '../../src/metrics/labels.ts';
import type { Service } from '../../src/pipeline/service.ts';
import { withAdmission } from '../../src/pipeline/with-admission.ts';
import { createMemorySlots } from '../../src/state/memory-slots.ts';
import type { Slots } from '../../src/state/slots.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { answeredOf, contextOf, createRecordedMetrics, requestOf, tenantOf, type RecordedMetrics, type ScriptedContext } from './scripted.ts'; // prettier-ignore

let clock: FakeClock;
let slots: Slots;
let metrics: RecordedMetrics;
let signals: LimitSignal[];
beforeEach(() => {
  clock = createFakeClock();
  slots = createMemorySlots(clock);
  metrics = createRecordedMetrics();
  signals = [];
});

/** A tenant with one slot and one place to wait. */
const tenant = tenantOf({
  slots: { limit: { current: 1, report: (signal) => void signals.push(signal) }, maxWaiters: 1, maxWaitMs: 1_000 },
});

/** Requests through the layer, into an inner service that each of them ends by hand. */
function drive() {
  const entered: PromiseWithResolvers<Outcome>[] = [];
  const service: Service = withAdmission({ slots, metrics, tenantLabels: createTenantLabels() })(() => {
    const ended = Promise.withResolvers<Outcome>();
    entered.push(ended);
    return ended.promise;
  });
  const send = (part: Partial<GatewayRequest> = {}) => {
    const context: ScriptedContext = contextOf(clock, tenant);
    return { context, outcome: service(requestOf(part), context) };
  };
  return { entered, send };
}

const inUse = (): number => slots.counts().get('acme')?.inUse ?? 0;

describe('withAdmission', () => {
  it('holds the slot until the inner service is over, not until it begins to answer', async () => {
    const { entered, send } = drive();
    const first = send();
    const second = send();
    await clock.advance(500);
    expect([entered.length, inUse()]).toEqual([1, 1]);
    entered[0]?.resolve(answeredOf());
    await first.outcome;
    await clock.advance(0);
    expect([entered.length, inUse()]).toEqual([2, 1]);
    entered[1]?.resolve(answeredOf());
    expect(await second.outcome).toEqual(answeredOf());
    expect(inUse()).toBe(0);
  });

  it('gives the slot back when the inner service throws, and lets the exception pass', async () => {
    const { entered, send } = drive();
    const { outcome } = send();
    await clock.advance(0);
    entered[0]?.reject(new Error('a bug'));
    await expect(outcome).rejects.toThrow('a bug');
    expect(inUse()).toBe(0);
    expect(signals).toEqual(['ignored']);
  });

  it.each<[LimitSignal, string, Outcome]>([
    ['success', 'an answer that is whole', answeredOf()],
    ['success', 'an error of the caller’s own', answeredOf({ status: 400 })],
    ['dropped', 'a 429', answeredOf({ status: 429 })],
    ['dropped', 'a 529', answeredOf({ status: 529 })],
    ['ignored', 'a caller that left', answeredOf({ end: 'client_abort' })],
    ['ignored', 'a stream that broke off', answeredOf({ end: 'truncated' })],
    ['ignored', 'a failure before the answer', { kind: 'refused', refusal: { code: 'upstream_unreachable' } }],
    ['ignored', 'a caller that left before the answer', { kind: 'abandoned' }],
  ])('reports %s to the limit for %s', async (signal, _what, outcome) => {
    const { entered, send } = drive();
    const sent = send();
    await clock.advance(0);
    entered[0]?.resolve(outcome);
    await sent.outcome;
    expect(signals).toEqual([signal]);
  });

  it('refuses with 429 and an estimate in whole seconds when the line is full', async () => {
    const { entered, send } = drive();
    const [first, second] = [send(), send()];
    const refused = await send().outcome;
    expect(refused).toEqual({ kind: 'refused', refusal: { code: 'queue_full', retryAfterSeconds: 10 } });
    second.context.leave();
    entered[0]?.resolve(answeredOf());
    await Promise.all([first.outcome, second.outcome]);
  });

  it('refuses who has waited too long', async () => {
    const { entered, send } = drive();
    const [first, second] = [send(), send()];
    await clock.advance(1_000);
    expect(await second.outcome).toMatchObject({ kind: 'refused', refusal: { code: 'queue_timeout' } });
    expect(second.context.timings.queueMs).toBe(1_000);
    entered[0]?.resolve(answeredOf());
    await first.outcome;
    expect(entered.length).toBe(1);
  });

  it('drops a waiter that leaves, without entering the inner service', async () => {
    const { entered, send } = drive();
    const [first, second] = [send(), send()];
    await clock.advance(0);
    second.context.leave();
    expect(await second.outcome).toEqual({ kind: 'abandoned' });
    entered[0]?.resolve(answeredOf());
    await first.outcome;
    expect([entered.length, inUse(), clock.pending]).toEqual([1, 0, 0]);
  });

  it.each(['count_tokens', 'models', 'other'] as const)('takes no slot for %s', async (operation) => {
    const { entered, send } = drive();
    const all = Array.from({ length: 25 }, () => send({ operation }));
    await clock.advance(0);
    expect([entered.length, inUse()]).toEqual([25, 0]);
    for (const one of entered) one.resolve(answeredOf());
    await Promise.all(all.map(({ outcome }) => outcome));
    expect(metrics.observed).toEqual({});
  });

  it('measures the wait of everyone who took part, granted or not', async () => {
    const { entered, send } = drive();
    const [first, second, third] = [send(), send(), send()];
    await clock.advance(250);
    entered[0]?.resolve(answeredOf());
    await first.outcome;
    await clock.advance(0);
    entered[1]?.resolve(answeredOf());
    await Promise.all([second.outcome, third.outcome]);
    expect(metrics.observed).toEqual({ 'slipstream_queue_wait_seconds{tenant="acme"}': [0, 0, 0.25] });
    expect(second.context.timings.queueMs).toBe(250);
  });
});
