import { expect, it } from 'vitest';
import { createSharers } from '../../../src/prompt/book/prefix-book-sharers.ts';

const nobody = () => ({ tenants: new Map<string, number>() });

it('when 20,000 pairs of a prefix and a tenant are held, a new prefix has room for four tenants, which go on counting', () => {
  const sharers = createSharers();
  const [crowd, later] = [nobody(), nobody()];
  for (let tenant = 0; tenant < 30_000; tenant++) sharers.count(crowd, `tenant ${tenant}`);
  for (let tenant = 0; tenant < 10; tenant++)
    for (let time = 0; time < 3; time++) sharers.count(later, `tenant ${tenant}`);
  expect([crowd.tenants.size, ...later.tenants.values()]).toEqual([20_000, 3, 3, 3, 3]);
});

it('the room of a forgotten prefix is free for others', () => {
  const sharers = createSharers();
  const [forgotten, later] = [nobody(), nobody()];
  for (let request = 0; request < 40_000; request++) sharers.count(forgotten, `tenant ${request % 20_000}`);
  sharers.release(forgotten);
  for (let tenant = 0; tenant < 10; tenant++) sharers.count(later, `tenant ${tenant}`);
  expect([forgotten.tenants.size, later.tenants.size]).toEqual([0, 10]);
});
