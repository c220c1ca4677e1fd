import { describe, expect, it } from 'vitest';
import { createTimeSlots } from '../../src/console/time-slots.ts';

const slots = () => createTimeSlots(10, 3, () => ({ count: 0 }));

describe('figures in slots of time', () => {
  it('are together where they fall in the same slot', () => {
    const three = slots();
    for (const atMs of [20, 29, 30]) (three.at(atMs) as { count: number }).count++;
    expect(three.recent(35)).toEqual([
      { startAtMs: 20, figures: { count: 2 } },
      { startAtMs: 30, figures: { count: 1 } },
    ]);
  });

  it('are dropped when they are out of date, by whoever asks', () => {
    const three = slots();
    three.at(20);
    expect(three.recent(49)).toHaveLength(1);
    expect(three.recent(50)).toEqual([]);
    expect(three.oldestAtMs(50)).toBe(30);
  });

  it('take what comes late but not too late, in order', () => {
    const three = slots();
    three.at(40);
    expect(three.at(19)).toBeNull();
    three.at(20);
    expect(three.recent(40).map(({ startAtMs }) => startAtMs)).toEqual([20, 40]);
  });
});
