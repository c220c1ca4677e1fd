import { expect, it } from 'vitest';
import { volatileAdviceOf } from '../../src/console/volatile-advice.ts';
import type { VolatileBlock } from '../../src/prompt/volatile-prefix.ts';

const BLOCK: VolatileBlock = {
  tenant: 'acme',
  model: 'claude-sonnet-5',
  place: 'system[0]',
  requests: 60,
  changes: 59,
  tokensBehind: 10_000,
  requestsPerDay: 1_000,
};

it('a volatile block wastes the difference between input and a cache read on every token behind it', () => {
  expect(volatileAdviceOf([BLOCK])).toEqual([{ ...BLOCK, wastedUsdPerDay: expect.closeTo(10 * (2 - 0.2), 9) }]);
});

it('what a model without a price wastes is not known', () => {
  expect(volatileAdviceOf([{ ...BLOCK, model: 'of-tomorrow' }])[0]?.wastedUsdPerDay).toBeNull();
});

it('the dearest is named first, those without a price last, by their tokens', () => {
  const blocks: VolatileBlock[] = [
    { ...BLOCK, place: 'few tokens, no price', model: 'of-tomorrow', tokensBehind: 10 },
    { ...BLOCK, place: 'many tokens, no price', model: 'of-tomorrow' },
    { ...BLOCK, place: 'cheap', model: 'claude-haiku-4-5' },
    { ...BLOCK, place: 'dear', model: 'claude-opus-5' },
  ];
  expect(volatileAdviceOf(blocks).map(({ place }) => place)).toEqual([
    'dear',
    'cheap',
    'many tokens, no price',
    'few tokens, no price',
  ]);
});
