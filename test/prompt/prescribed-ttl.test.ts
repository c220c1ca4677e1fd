import { expect, test } from 'vitest';
import { RULES, SECOND_MS, traffic, view } from './views.ts';

test.each(['5m', '1h'] as const)('where only %s may be written, a conversation carries no other marker', (ttl) => {
  const { send } = traffic({ ...RULES, ttl });
  let said = 'tools system | hello';
  const plans = Array.from({ length: 20 }, (_, turn) => {
    said += ` turn${turn}`;
    return send(view(said), turn * 20 * SECOND_MS);
  });
  const written = plans.flatMap((plan) => plan.marks.filter((one) => one.why === 'tail'));
  expect(written.length).toBeGreaterThan(10);
  expect(written.every((one) => one.ttl === ttl)).toBe(true);
  expect(plans.every((plan) => (ttl === '5m' ? plan.expected.write1hTokens : plan.expected.write5mTokens) === 0)).toBe(
    true,
  );
});
