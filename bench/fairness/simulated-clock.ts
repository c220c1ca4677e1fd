// A clock for hours of simulated time in seconds: a heap of timers, and one turn of the event loop after each.

import type { SteppedClock } from './simulate.ts';

interface Timer {
  readonly dueMs: number;
  readonly sequence: number;
  run: (() => void) | null;
}

export function createSimulatedClock(): SteppedClock {
  const heap: Timer[] = [];
  let now = 0;
  let sequence = 0;
  const isBefore = (a: Timer, b: Timer): boolean =>
    a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
  return {
    nowMs: () => now,
    wallMs: () => now,
    after(delayMs, run) {
      const timer: Timer = { dueMs: now + Math.max(0, delayMs), sequence: sequence++, run };
      push(heap, timer, isBefore);
      return () => (timer.run = null);
    },
    async advance(ms) {
      const target = now + ms;
      for (;;) {
        const next = heap[0];
        if (!next || next.dueMs > target) break;
        pop(heap, isBefore);
        if (!next.run) continue;
        now = next.dueMs;
        next.run();
        await settled();
      }
      now = target;
      await settled();
    },
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Before<Item> = (a: Item, b: Item) => boolean;

function push<Item>(heap: Item[], item: Item, isBefore: Before<Item>): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(item, heap[parent] as Item)) break;
    heap[at] = heap[parent] as Item;
    at = parent;
  }
  heap[at] = item;
}

function pop<Item>(heap: Item[], isBefore: Before<Item>): void {
  const item = heap.pop() as Item;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Item, heap[child] as Item)) child++;
    if (!isBefore(heap[child] as Item, item)) break;
    heap[at] = heap[child] as Item;
    at = child;
  }
  heap[at] = item;
}
