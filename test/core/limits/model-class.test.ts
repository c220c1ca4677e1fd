import { expect, it } from 'vitest';
import { rateLimitClass } from '../../../src/core/limits/model-class.ts';

it.each([
  ['opus-4', ['claude-opus-4-5', 'claude-opus-4-5-20251101', 'claude-opus-4-8']],
  ['sonnet-4', ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-6']],
  ['fable-5', ['claude-fable-5', 'claude-fable-5-1', 'claude-fable-5-2']],
])('the models of %s share one limit', (shared, models) => {
  expect(models.map(rateLimitClass)).toEqual(models.map(() => shared));
});

it('every other model has a limit of its own', () => {
  const models = ['opus-5', 'opus-5-5', 'sonnet-5', 'sonnet-5-5', 'haiku-4-5', 'haiku-5-5'];
  expect(models.map((model) => rateLimitClass(`claude-${model}`))).toEqual(models);
});

it('what is not known, or not named, is one class: the number of classes is bounded', () => {
  expect([null, '', 'qwen3:8b', 'claude-opus-4-9'].map(rateLimitClass)).toEqual(['other', 'other', 'other', 'other']);
});
