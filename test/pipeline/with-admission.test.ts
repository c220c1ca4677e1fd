import { beforeEach, describe, expect, it } from 'vitest';
import type { GatewayRequest, Outcome } from '../../src/core/exchange.ts';
import type { Service } from '../../src/pipeline/service.ts';
import { wholeSeconds, withAdmission } from '../../src/pipeline/with-admission.ts';
import { createMemorySlots } from '../../src/state/memory-slots.ts';
import type { Slots } from '../../src/state/slots.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { answeredOf, contextOf, requestOf, tenantOf, type ScriptedContext } from './scripted.ts';

let clock: FakeClock;
let slots: Slots;
beforeEach(() => {
  clock = createFakeClock();
  slots = createMemorySlots(clock);
});

/** A tenant with one slot and one place to wait. */
const tenant = tenantOf({ slots: { limit: 1, maxWaiters: 1, maxWaitMs: 1_000 } });

/** Requests through the layer, into an inner service that each of them ends by hand. */
function drive() {
  const entered: PromiseWithResolvers<Outcome>[] = [];
  const service: Service = withAdmission({ slots })(() => {
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
    expect(all.map(({ context }) => context.timings.queueMs)).toEqual(Array(25).fill(null));
  });

  it('notes the wait of everyone who took part, granted or not', async () => {
    const { entered, send } = drive();
    const all = [send(), send(), send()];
    await clock.advance(250);
    entered[0]?.resolve(answeredOf());
    await clock.advance(0);
    entered[1]?.resolve(answeredOf());
    await Promise.all(all.map(({ outcome }) => outcome));
    expect(all.map(({ context }) => context.timings.queueMs)).toEqual([0, 250, 0]);
  });

  it('drops a waiter whose process ends, as one that leaves', async () => {
    const { entered, send } = drive();
    const [first, second] = [send(), send()];
    await clock.advance(0);
    second.context.stop('draining');
    expect(await second.outcome).toEqual({ kind: 'abandoned' });
    entered[0]?.resolve(answeredOf());
    await first.outcome;
    expect([inUse(), clock.pending]).toEqual([0, 0]);
  });
});

it.each([
  [0, 1],
  [1, 1],
  [1_000, 1],
  [1_001, 2],
  [59_999.5, 60],
])('a wait of %d ms is told as %d whole seconds', (ms, seconds) => {
  expect(wholeSeconds(ms)).toBe(seconds);
});
