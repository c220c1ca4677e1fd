import { describe, expect, it } from 'vitest';
import { MODELS } from '../../src/core/models.ts';
import { createTenantLabels, modelLabel } from '../../src/metrics/labels.ts';

describe('modelLabel', () => {
  it('is the name of a known model without its date', () => {
    expect(modelLabel('claude-haiku-4-5-20251001')).toBe('claude-haiku-4-5');
  });

  it.each([null, '', 'gpt-6', 'x'.repeat(10_000), '__proto__', 'claude-opus-5\n'])('is other for %j', (model) => {
    expect(modelLabel(model)).toBe('other');
  });

  it('has no more values than there are models, and one', () => {
    const junk = Array.from({ length: 1000 }, (_, index) => `claude-opus-${index}-${20250000 + index}`);
    expect(new Set(junk.map(modelLabel)).size).toBeLessThanOrEqual(Object.keys(MODELS).length + 1);
  });
});

describe('createTenantLabels', () => {
  it('names tenants up to the cap, first come, first served, and calls the rest other', () => {
    const labels = createTenantLabels(2);
    expect(['a', 'b', 'c', 'a', 'b', 'd'].map((id) => labels.of(id))).toEqual(['a', 'b', 'other', 'a', 'b', 'other']);
  });

  it('names 200 if nothing else is said', () => {
    const labels = createTenantLabels();
    const named = Array.from({ length: 1000 }, (_, index) => labels.of(`t-${index}`));
    expect(new Set(named).size).toBe(201);
  });
});
