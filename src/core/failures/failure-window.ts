/**
 * How calls ended over the last seconds, counted in slots of a second each: a fixed few numbers, however many calls. What
 * falls out of the window does so a slot at a time.
 */
export type CallEnd = 'answered' | 'fault' | 'overloaded';

export interface WindowTotals {
  readonly calls: number;
  readonly faults: number;
  readonly overloaded: number;
  /** From the oldest slot with a call in it until now. */
  readonly spanMs: number;
}

export interface FailureWindow {
  add(end: CallEnd, nowMs: number): void;
  totals(nowMs: number): WindowTotals;
  clear(): void;
}

const SLOT_MS = 1_000;

interface Slot {
  readonly startMs: number;
  answered: number;
  fault: number;
  overloaded: number;
}

export function createFailureWindow(windowMs: number): FailureWindow {
  let slots: Slot[] = [];

  const dropOld = (nowMs: number): void => {
    if (slots[0] && nowMs - slots[0].startMs >= windowMs) slots = slots.filter((s) => nowMs - s.startMs < windowMs);
  };
  const slotAt = (nowMs: number): Slot => {
    const last = slots.at(-1);
    if (last && nowMs - last.startMs < SLOT_MS) return last;
    const slot = { startMs: nowMs, answered: 0, fault: 0, overloaded: 0 };
    slots.push(slot);
    return slot;
  };

  return {
    add(end, nowMs) {
      dropOld(nowMs);
      slotAt(nowMs)[end]++;
    },
    totals(nowMs) {
      dropOld(nowMs);
      const sum = (end: CallEnd): number => slots.reduce((total, slot) => total + slot[end], 0);
      const [faults, overloaded] = [sum('fault'), sum('overloaded')];
      const spanMs = nowMs - (slots[0]?.startMs ?? nowMs);
      return { calls: faults + overloaded + sum('answered'), faults, overloaded, spanMs };
    },
    clear() {
      slots = [];
    },
  };
}
