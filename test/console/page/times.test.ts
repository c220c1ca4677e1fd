import { describe, expect, it } from 'vitest';
import {
  formatAge,
  formatClock,
  formatCountdown,
  formatDuration,
  formatExactMs,
  tickDuration,
  utcDay,
} from '../../../src/console/page/words/times.ts';

describe('times on the page', () => {
  it.each([
    [0.04, '0.0 ms'],
    [3.21, '3.2 ms'],
    [9.96, '10 ms'],
    [640.4, '640 ms'],
    [999.6, '1.00 s'],
    [1244, '1.24 s'],
    [12_440, '12.4 s'],
    [59_960, '1 min'],
    [125_000, '2 min 5 s'],
  ])('writes a duration of %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [-5, '0 s'],
    [12_900, '12 s'],
    [250_000, '4 min 10 s'],
    [3_600_000, '1 h'],
    [3_900_000, '1 h 5 min'],
    [273_600_000, '3 d 4 h'],
  ])('writes an age of %d ms as %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text);
  });

  it('counts down to nought and no further', () => {
    expect([300_000, 245_001, 59_000, 0, -4000].map(formatCountdown)).toEqual(['5:00', '4:06', '0:59', '0:00', '0:00']);
  });

  it('tells a story to the tenth of a millisecond', () => {
    expect(formatExactMs(1240.34)).toBe('1,240.3 ms');
  });

  it('writes midnight as 00, not as 24', () => {
    expect(formatClock(new Date(2026, 10, 22, 0, 3, 4).getTime())).toBe('00:03:04');
  });

  it('counts days in UTC, as savings do', () => {
    expect(utcDay(Date.UTC(2026, 10, 22, 23, 59))).toBe('2026-11-22');
  });

  it('keeps the ticks of an axis short', () => {
    expect([0, 500, 1000, 2500].map(tickDuration)).toEqual(['0', '500 ms', '1 s', '2.5 s']);
  });
});
