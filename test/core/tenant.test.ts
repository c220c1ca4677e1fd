import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodEndMs, periodStartMs } from '../../src/core/tenant.ts';

const at = (text: string): number => Date.parse(text);

describe('budget periods', () => {
  it.each([
    ['hour', '2026-11-22T14:59:59.999Z', '2026-11-22T14:00:00Z', '2026-11-22T15:00:00Z'],
    ['hour', '2026-11-22T15:00:00.000Z', '2026-11-22T15:00:00Z', '2026-11-22T16:00:00Z'],
    ['hour', '2026-12-31T23:30:00Z', '2026-12-31T23:00:00Z', '2027-01-01T00:00:00Z'],
    ['day', '2026-11-22T23:59:59.999Z', '2026-11-22T00:00:00Z', '2026-11-23T00:00:00Z'],
    ['day', '2026-11-30T12:00:00Z', '2026-11-30T00:00:00Z', '2026-12-01T00:00:00Z'],
    ['day', '2028-02-28T12:00:00Z', '2028-02-28T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['day', '2028-02-29T12:00:00Z', '2028-02-29T00:00:00Z', '2028-03-01T00:00:00Z'],
    ['day', '2027-02-28T12:00:00Z', '2027-02-28T00:00:00Z', '2027-03-01T00:00:00Z'],
    ['month', '2026-01-31T12:00:00Z', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'],
    ['month', '2028-02-29T23:59:59.999Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
    ['month', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ] as const)('the %s of %s lasts from %s to %s', (per, now, start, end) => {
    expect(periodStartMs(per, at(now))).toBe(at(start));
    expect(periodEndMs(per, at(now))).toBe(at(end));
  });

  it('follow one another without a gap, and every moment is in exactly one', () => {
    const moments = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.constantFrom('hour' as const, 'day' as const, 'month' as const), moments, (per, moment) => {
        const nowMs = moment.getTime();
        const [startMs, endMs] = [periodStartMs(per, nowMs), periodEndMs(per, nowMs)];
        expect(startMs <= nowMs && nowMs < endMs).toBe(true);
        expect(periodStartMs(per, endMs - 1)).toBe(startMs);
        expect(periodStartMs(per, endMs)).toBe(endMs);
      }),
    );
  });
});
