import { describe, expect, it } from 'vitest';
import { answering, apiError, JSON_ANSWER, withLength } from './answers.ts';
import { asking, FINE, onStage, type FaultStage } from './fault-stage.ts';

/**
 * What an upstream says of its limits, in earnest and in nonsense. Nonsense holds nobody up; what is exhausted is waited
 * for no longer than a caller waits, by no other class of models, and never for ever.
 */

const PREFIX = 'anthropic-ratelimit-';

type Figures = Readonly<Record<string, string>>;

const figures = (kind: string, limit: string, remaining: string, reset: string): Figures => ({
  [`${PREFIX}${kind}-limit`]: limit,
  [`${PREFIX}${kind}-remaining`]: remaining,
  [`${PREFIX}${kind}-reset`]: reset,
});

const FAR = '2999-01-01T00:00:00Z';
const LONG_AGO = '1970-01-01T00:00:00Z';

const NONSENSE: readonly (readonly [name: string, headers: Figures])[] = [
  ['are no numbers', figures('requests', 'NaN', 'NaN', 'NaN')],
  ['are negative', figures('requests', '-50', '-5', LONG_AGO)],
  ['are infinite', figures('input-tokens', 'Infinity', '-Infinity', FAR)],
  ['are words', figures('input-tokens', 'many', 'none', 'soon')],
  ['are empty', figures('requests', '', '', '')],
  ['leave nothing of nothing', figures('requests', '0', '0', FAR)],
  ['have more digits than a double holds', figures('requests', '9'.repeat(400), '0', FAR)],
  ['leave more than there is', figures('input-tokens', '10', '1000000', FAR)],
  ['have no limit', { [`${PREFIX}requests-remaining`]: '0', [`${PREFIX}requests-reset`]: FAR }],
  ['are sent twice', figures('requests', '1\r\nanthropic-ratelimit-requests-limit: 2', '5', FAR)],
];

const EXHAUSTED: readonly (readonly [name: string, headers: Figures])[] = [
  ['requests, for a time that is not told', figures('requests', '1', '0', '')],
  ['requests, to a date long gone', figures('requests', '1', '0', LONG_AGO)],
  ['requests, to a date in the year 2999', figures('requests', '1', '0', FAR)],
  ['input tokens, to a date in the year 2999', figures('input-tokens', '1000', '0', FAR)],
  [
    'a subscription, to a moment in the year 2999',
    { [`${PREFIX}unified-status`]: 'rejected', [`${PREFIX}unified-reset`]: '32472144000' },
  ],
];

const DAY_MS = 25 * 3_600_000;
const IMPATIENT = { tenant: 'queue: { timeout: 200ms }' };
const OTHER_CLASS = asking('json', { body: '{"model":"claude-haiku-4-5","max_tokens":64,"messages":[]}' });

async function expectFine(stage: FaultStage, parts = asking('json')): Promise<void> {
  const client = await stage.send(parts);
  expect(await stage.seen(client)).toMatchObject({ status: 200, ending: 'whole', text: JSON_ANSWER });
}

async function expectBusy(stage: FaultStage): Promise<void> {
  const calls = stage.upstream.attempts.length;
  const client = await stage.send(asking('json'));
  const sight = await stage.seen(client);
  expect(sight).toMatchObject({ status: 429, ending: 'whole' });
  expect(Number(sight.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(sight.headers['x-should-retry']).toBe('true');
  expect(stage.records.at(-1)).toMatchObject({ refusal: 'upstream_busy' });
  expect(stage.upstream.attempts).toHaveLength(calls);
}

describe.concurrent('figures of a rate limit that', () => {
  it.each(NONSENSE)('%s hold nobody up', async (_name, headers) => {
    await onStage([answering(withLength(200, JSON_ANSWER, headers)), FINE.json], IMPATIENT, async (stage) => {
      await expectFine(stage);
      await expectFine(stage);
      expect(stage.upstream.attempts).toHaveLength(2);
    });
  });
});

describe.concurrent('a limit that is exhausted', () => {
  it.each(EXHAUSTED)('in %s, is waited for as long as a caller waits, and is over some day', async (_name, headers) => {
    await onStage([answering(withLength(200, JSON_ANSWER, headers)), FINE.json], IMPATIENT, async (stage) => {
      await expectFine(stage);
      await expectBusy(stage);
      await expectFine(stage, OTHER_CLASS);
      stage.clock.jump(DAY_MS);
      await expectFine(stage);
    });
  });

  it.each([
    ['a trillion seconds', { 'retry-after': '1000000000000' }],
    ['an hour', { 'retry-after': '3600' }],
    ['a quadrillion ms', { 'retry-after-ms': '1000000000000000' }],
    ['to a date in the year 2999', { 'retry-after': 'Tue, 01 Jan 2999 00:00:00 GMT' }],
  ])('by a 429 of %s holds up its class alone, and is over some day', async (_name, headers) => {
    const limited = answering(withLength(429, apiError('rate_limit_error'), headers));
    await onStage([limited, FINE.json], IMPATIENT, async (stage) => {
      const first = await stage.send(asking('json'));
      expect(await stage.seen(first)).toMatchObject({ status: 429, ending: 'whole' });
      await expectBusy(stage);
      await expectFine(stage, OTHER_CLASS);
      stage.clock.jump(DAY_MS);
      await expectFine(stage);
    });
  });

  it.each([-3_600_000, 3_600_000])(
    'in requests, with the wall clock set by %i ms meanwhile, is over some day',
    async (byMs) => {
      const inAMinute = new Date(Date.now() + 60_000).toISOString();
      const answer = answering(withLength(200, JSON_ANSWER, figures('requests', '1', '0', inAMinute)));
      await onStage([answer, FINE.json], IMPATIENT, async (stage) => {
        stage.clock.shiftWall(byMs);
        await expectFine(stage);
        stage.clock.jump(DAY_MS);
        await expectFine(stage);
      });
    },
  );
});
