import { describe, expect, it } from 'vitest';
import { message } from '../support/claude-answers.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { asking, GLOBEX_KEY, managed, useStage, type Stage } from '../support/gateway-under-test.ts';
import type { RawResponse } from '../support/raw-client.ts';

/** claude-sonnet-5 costs 10 USD per million output tokens: 1,000 of them are one cent. */

const start = useStage();
const ONE_CENT = message({ input_tokens: 0, output_tokens: 1_000 });
const TWO_CENTS_A_DAY = 'budget: { usd: 0.02, per: day }';

async function startAt(wallMs: number, acme: string) {
  const clock = createFakeClock(wallMs);
  const stage = await start({ clock, settings: managed(acme) });
  stage.upstream.script = (call) => call.answer(200, ONE_CENT);
  return { stage, clock };
}

async function spend(stage: Stage, cents: number): Promise<void> {
  for (let cent = 0; cent < cents; cent++) expect((await stage.ask(asking())).status).toBe(200);
}

function expectSpent(response: RawResponse, retryAfterSeconds: number): void {
  expect(response.status).toBe(402);
  expect(response.json()).toMatchObject({ type: 'error', error: { type: 'billing_error' } });
  expect(response.headers['x-should-retry']).toBe('false');
  expect(response.headers['retry-after']).toBe(String(retryAfterSeconds));
}

describe('a budget', () => {
  it('that is spent refuses with 402, until the end of its day and not a second longer', async () => {
    const { stage, clock } = await startAt(Date.UTC(2026, 10, 22, 23, 50), TWO_CENTS_A_DAY);
    await spend(stage, 2);
    expectSpent(await stage.ask(asking()), 600);
    await clock.advance(599_000);
    expectSpent(await stage.ask(asking()), 1);
    expect(stage.upstream.calls).toHaveLength(2);
    await clock.advance(1_000);
    await spend(stage, 2);
    expectSpent(await stage.ask(asking()), 24 * 3600);
    expect((await stage.metrics()).sum('slipstream_requests_total', { tenant: 'acme', status: '402' })).toBe(3);
  });

  it.each([
    ['hour', 3600 - 90],
    ['month', 8 * 24 * 3600 + 3600 - 90 + 11 * 3600],
  ])('of an %s ends with it', async (per, retryAfterSeconds) => {
    const { stage } = await startAt(Date.UTC(2026, 10, 22, 12, 1, 30), `budget: { usd: 0.01, per: ${per} }`);
    await spend(stage, 1);
    expectSpent(await stage.ask(asking()), retryAfterSeconds);
  });

  it("is the tenant's own, and counting tokens is free", async () => {
    const { stage } = await startAt(Date.UTC(2026, 10, 22), TWO_CENTS_A_DAY);
    await spend(stage, 2);
    expect((await stage.ask(asking({}, GLOBEX_KEY))).status).toBe(200);
    expect((await stage.ask(asking({ target: '/v1/messages/count_tokens' }))).status).toBe(200);
    expect((await stage.ask(asking())).status).toBe(402);
  });

  it('takes no slot and no place in the queue from those who run when it refuses', async () => {
    const { stage } = await startAt(Date.UTC(2026, 10, 22), `${TWO_CENTS_A_DAY}, maxConcurrency: 1, queue: { max: 0 }`);
    await spend(stage, 1);
    stage.upstream.script = () => {};
    const { client, call } = await stage.open();
    expect((await stage.ask(asking())).status).toBe(429);
    call.answer(200, ONE_CENT);
    expect((await client.response()).status).toBe(200);
    expect((await stage.ask(asking())).status).toBe(402);
  });

  it('is not charged for what the upstream refused', async () => {
    const { stage } = await startAt(Date.UTC(2026, 10, 22), TWO_CENTS_A_DAY);
    stage.upstream.script = (call) => call.answer(529, { type: 'error', usage: { output_tokens: 9_999_999 } });
    await stage.ask(asking());
    stage.upstream.script = (call) => call.answer(200, ONE_CENT);
    await spend(stage, 2);
  });
});
