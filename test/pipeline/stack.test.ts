import { expect, it } from 'vitest';
import { stack, type Layer } from '../../src/pipeline/service.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { answeredOf, contextOf, requestOf } from './scripted.ts';

it('stack makes the first layer the outermost', async () => {
  const steps: string[] = [];
  const layer =
    (name: string): Layer =>
    (inner) =>
    async (request, context) => {
      steps.push(`into ${name}`);
      const outcome = await inner(request, context);
      steps.push(`out of ${name}`);
      return outcome;
    };
  const service = stack([layer('a'), layer('b')], async () => {
    steps.push('service');
    return answeredOf();
  });
  expect(await service(requestOf(), contextOf(createFakeClock()))).toEqual(answeredOf());
  expect(steps).toEqual(['into a', 'into b', 'service', 'out of b', 'out of a']);
});

it('a stack without layers is the service', () => {
  const service = async () => answeredOf();
  expect(stack([], service)).toBe(service);
});
