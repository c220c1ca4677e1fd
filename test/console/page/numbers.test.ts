import { describe, expect, it } from 'vitest';
import {
  formatShare,
  formatTokenRate,
  formatTokens,
  formatUsd,
  tickShare,
  tickTokens,
  usdDecimals,
} from '../../../src/console/page/words/numbers.ts';

describe('numbers on the page', () => {
  it.each([
    [0, '0'],
    [950.4, '950'],
    [1000, '1.00 k'],
    [12_440, '12.4 k'],
    [640_400, '640 k'],
    [999_499, '999 k'],
    [999_500, '1.00 M'],
    [1_240_000, '1.24 M'],
    [3_100_000_000, '3,100 M'],
  ])('writes %d tokens as %s', (tokens, text) => {
    expect(formatTokens(tokens)).toBe(text);
  });

  it.each([
    [0, '0.0%'],
    [0.0004, '<0.1%'],
    [0.885, '88.5%'],
    [0.9997, '>99.9%'],
    [1, '100.0%'],
  ])('never rounds a share of %d up to all or down to nothing: %s', (share, text) => {
    expect(formatShare(share)).toBe(text);
  });

  it.each([
    [0, '$0'],
    [0.00001, '<$0.0001'],
    [0.0123, '$0.0123'],
    [0.5, '$0.500'],
    [12.345, '$12.35'],
    [-0.021, '−$0.0210'],
    [184_201.4, '$184,201'],
  ])('writes %d dollars as %s', (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });

  it('gives all figures of a column as many decimals as its largest asks for', () => {
    const decimals = usdDecimals(305.76);
    expect([305.76, 0.4, 0, -0.001].map((usd) => formatUsd(usd, decimals))).toEqual([
      '$305.76',
      '$0.40',
      '$0.00',
      '−<$0.01',
    ]);
  });

  it('shows what is not known as a dash, never as nought', () => {
    expect([formatTokens(null), formatShare(null), formatUsd(null), formatTokenRate(null)]).toEqual([
      '–',
      '–',
      '–',
      '–',
    ]);
  });

  it('gives every speed its unit', () => {
    expect([0.4, 71.6, 16_800].map(formatTokenRate)).toEqual(['0.4 tok/s', '72 tok/s', '16.8 k tok/s']);
  });

  it('keeps the ticks of an axis short', () => {
    expect([0, 500, 20_000, 1500].map(tickTokens)).toEqual(['0', '500', '20 k', '1.5 k']);
    expect([0, 0.25, 1].map(tickShare)).toEqual(['0%', '25%', '100%']);
  });
});
