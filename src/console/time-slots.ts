/**
 * Figures of the last while, in slots of one length. What is older is dropped as time goes on, by the times of what comes
 * in and of who asks: there is no timer.
 */
export interface TimeSlots<Figures> {
  /** The slot that holds this moment; null where that is out of date already. */
  at(atMs: number): Figures | null;
  /** Those that are not out of date at this moment, oldest first; slots in which nothing happened are left out. */
  recent(nowMs: number): readonly { readonly startAtMs: number; readonly figures: Figures }[];
  /** When the oldest slot that is kept at this moment begins. */
  oldestAtMs(nowMs: number): number;
}

export function createTimeSlots<Figures>(slotMs: number, count: number, create: () => Figures): TimeSlots<Figures> {
  const slots = new Map<number, Figures>();
  let newest = Number.NEGATIVE_INFINITY;
  const indexOf = (atMs: number): number => Math.floor(atMs / slotMs);
  const advance = (index: number): void => {
    if (index <= newest) return;
    newest = index;
    for (const one of slots.keys()) if (one <= newest - count) slots.delete(one);
  };
  return {
    at(atMs) {
      const index = indexOf(atMs);
      advance(index);
      if (index <= newest - count) return null;
      const figures = slots.get(index) ?? create();
      slots.set(index, figures);
      return figures;
    },
    recent(nowMs) {
      advance(indexOf(nowMs));
      return [...slots]
        .sort(([one], [another]) => one - another)
        .map(([index, figures]) => ({ startAtMs: index * slotMs, figures }));
    },
    oldestAtMs: (nowMs) => (indexOf(nowMs) - count + 1) * slotMs,
  };
}
