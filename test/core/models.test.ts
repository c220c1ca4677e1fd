import { describe, expect, it } from 'vitest';
import { modelName, MODELS } from '../../src/core/models.ts';

describe('modelName', () => {
  it('is the model itself where the table has it', () => {
    for (const model of Object.keys(MODELS)) expect(modelName(model)).toBe(model);
  });

  it('drops a date, -latest and the -0 of the first Claude 4 aliases', () => {
    expect(modelName('claude-sonnet-4-5-20250929')).toBe('claude-sonnet-4-5');
    expect(modelName('claude-3-5-haiku-latest')).toBe('claude-3-5-haiku');
    expect(modelName('claude-opus-4-0')).toBe('claude-opus-4');
  });

  it.each([null, '', '-20250929', 'claude-opus-6', 'constructor', 'claude-opus-5-20250929-20250929', 'CLAUDE-OPUS-5'])(
    'is null for %j',
    (model) => {
      expect(modelName(model)).toBeNull();
    },
  );
});
