import { beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/exchange.ts';
import type { Budget } from '../../src/core/tenant.ts';
import { withBudget } from '../../src/pipeline/with-budget.ts';
import { createMemoryLedger } from '../../src/state/ledger.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { answeredOf, contextOf, requestOf, tenantOf, usageOf } from './scripted.ts';

const HOUR_MS = 3_600_000;
/** An answer of Claude Opus 5, at 25 USD per million tokens. */
const oneDollar = answeredOf({ model: 'claude-opus-5', usage: usageOf({ output: 40_000 }) });

let clock: FakeClock;
beforeEach(() => {
  clock = createFakeClock(Date.UTC(2026, 10, 22, 9));
});

function drive(budget: Budget | null) {
  let entered = 0;
  let answer: () => Promise<Outcome> = async () => oneDollar;
  const service = withBudget({ clock, ledger: createMemoryLedger() })(() => {
    entered++;
    return answer();
  });
  return {
    send: (part: Parameters<typeof requestOf>[0] = {}) =>
      service(requestOf(part), contextOf(clock, tenantOf({ budget }))),
    answerWith: (next: () => Promise<Outcome>) => {
      answer = next;
    },
    get entered() {
      return entered;
    },
  };
}

describe('withBudget', () => {
  it('refuses with 402 once the budget is spent, until the period ends, and says when that is', async () => {
    const tenant = drive({ usd: 2, per: 'day' });
    expect(await tenant.send()).toEqual(oneDollar);
    expect(await tenant.send()).toEqual(oneDollar);
    await clock.advance(HOUR_MS + 500);
    expect(await tenant.send()).toEqual({
      kind: 'refused',
      refusal: { code: 'budget_spent', detail: '2 USD per day.', retryAfterSeconds: 14 * 3600 },
    });
    expect(tenant.entered).toBe(2);
    await clock.advance(14 * HOUR_MS);
    expect(await tenant.send()).toEqual(oneDollar);
  });

  it('finishes what runs when the budget runs out', async () => {
    const tenant = drive({ usd: 1, per: 'hour' });
    const gate = Promise.withResolvers<Outcome>();
    tenant.answerWith(() => gate.promise);
    const running = [tenant.send(), tenant.send(), tenant.send()];
    gate.resolve(oneDollar);
    expect(await Promise.all(running)).toEqual([oneDollar, oneDollar, oneDollar]);
    expect(await tenant.send()).toMatchObject({ kind: 'refused' });
  });

  it('books an answer in the period in which it ends, and leaves what that period has spent', async () => {
    const tenant = drive({ usd: 2, per: 'hour' });
    const long = Promise.withResolvers<Outcome>();
    tenant.answerWith(() => long.promise);
    const running = tenant.send();
    await clock.advance(HOUR_MS);
    tenant.answerWith(async () => oneDollar);
    await tenant.send();
    long.resolve(oneDollar);
    await running;
    expect(await tenant.send()).toMatchObject({ kind: 'refused', refusal: { code: 'budget_spent' } });
  });

  it.each<[string, Outcome]>([
    [
      'an answer that broke off with usage',
      answeredOf({ end: 'truncated', model: 'claude-opus-5', usage: usageOf({ output: 40_000 }) }),
    ],
    ['an answer whose model only the request names', answeredOf({ usage: usageOf({ output: 40_000 }) })],
  ])('books %s', async (_what, outcome) => {
    const tenant = drive({ usd: 1, per: 'month' });
    tenant.answerWith(async () => outcome);
    await tenant.send();
    expect(await tenant.send()).toMatchObject({ kind: 'refused' });
  });

  it.each<[string, Outcome]>([
    ['an answer without usage', answeredOf()],
    ['a model without a known price', answeredOf({ model: 'gpt-6', usage: usageOf({ output: 1e9 }) })],
    ['a refusal', { kind: 'refused', refusal: { code: 'queue_full' } }],
    ['a caller that left', { kind: 'abandoned' }],
  ])('books nothing for %s', async (_what, outcome) => {
    const tenant = drive({ usd: 0.01, per: 'month' });
    tenant.answerWith(async () => outcome);
    await tenant.send();
    expect(await tenant.send()).toEqual(outcome);
  });

  it('counts no tokens against a budget that only counting them would use', async () => {
    const tenant = drive({ usd: 1, per: 'day' });
    await tenant.send();
    expect(await tenant.send({ operation: 'count_tokens' })).toEqual(oneDollar);
  });

  it('stands aside where there is no budget', async () => {
    const tenant = drive(null);
    for (let round = 0; round < 5; round++) expect(await tenant.send()).toEqual(oneDollar);
  });

  it('lets an exception pass and books nothing', async () => {
    const tenant = drive({ usd: 0.5, per: 'day' });
    tenant.answerWith(() => Promise.reject(new Error('a bug')));
    await expect(tenant.send()).rejects.toThrow('a bug');
    tenant.answerWith(async () => oneDollar);
    expect(await tenant.send()).toEqual(oneDollar);
  });
});
