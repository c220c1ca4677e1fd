import { describe, expect, it } from 'vitest';
import { createTokenScale } from '../../src/prompt/token-scale.ts';

const MODEL = 'claude-opus-5';

describe('tokens per byte', () => {
  it('are a third before any answer', () => {
    expect(createTokenScale().tokensPerByte(MODEL)).toBeCloseTo(1 / 3);
  });

  it('are as the first answer says, for its model alone', () => {
    const scale = createTokenScale();
    scale.learn(MODEL, 10_000, 4_000);
    expect(scale.tokensPerByte(MODEL)).toBeCloseTo(0.4);
    expect(scale.tokensPerByte('claude-opus-4-6')).toBeCloseTo(1 / 3);
  });

  it('follow a model that changes its vocabulary, and no single answer upsets them', () => {
    const scale = createTokenScale();
    scale.learn(MODEL, 10_000, 2_500);
    scale.learn(MODEL, 10_000, 5_000);
    expect(scale.tokensPerByte(MODEL)).toBeLessThan(0.3);
    for (let answers = 0; answers < 50; answers++) scale.learn(MODEL, 10_000, 5_000);
    expect(scale.tokensPerByte(MODEL)).toBeCloseTo(0.5, 2);
  });

  it.each([
    ['a short prompt, which is mostly what the API adds', 500, 800],
    ['a prompt of images, whose bytes are no text', 4_000_000, 3_000],
    ['figures that cannot be', 10_000, 90_000],
  ])('are not learned of %s', (_what, bytes, tokens) => {
    const scale = createTokenScale();
    scale.learn(MODEL, bytes, tokens);
    expect(scale.tokensPerByte(MODEL)).toBeCloseTo(1 / 3);
  });

  it('of more models than there are stay at the first guess: names come from callers', () => {
    const scale = createTokenScale();
    for (let at = 0; at < 1_000; at++) scale.learn(`model ${at}`, 10_000, 5_000);
    expect(scale.tokensPerByte('model 0')).toBeCloseTo(0.5);
    expect(scale.tokensPerByte('model 999')).toBeCloseTo(1 / 3);
  });
});
