/**
 * Slots as one would explain them to a newcomer: an array for the line, a set for those inside. What the engine under
 * test must agree with after every step.
 */
export type AskState = 'granted' | 'waiting' | 'full' | 'timed_out' | 'abandoned' | 'released';

interface Waiting {
  readonly id: number;
  readonly untilMs: number;
}

export interface SlotsModel {
  readonly states: Map<number, AskState>;
  readonly inUse: number;
  readonly waiting: number;
  ask(id: number, maxWaitMs: number): void;
  release(id: number): void;
  leave(id: number): void;
  advance(ms: number): void;
  resize(limit: number): void;
}

export function createSlotsModel(firstLimit: number, maxWaiters: number): SlotsModel {
  const states = new Map<number, AskState>();
  const inside = new Set<number>();
  let line: Waiting[] = [];
  let limit = firstLimit;
  let nowMs = 0;

  const serve = (): void => {
    while (inside.size < limit && line.length > 0) enter((line.shift() as Waiting).id);
  };
  const enter = (id: number): void => {
    inside.add(id);
    states.set(id, 'granted');
  };
  return {
    states,
    get inUse() {
      return inside.size;
    },
    get waiting() {
      return line.length;
    },
    ask(id, maxWaitMs) {
      if (inside.size < limit) return enter(id);
      if (line.length < maxWaiters) line.push({ id, untilMs: nowMs + maxWaitMs });
      states.set(id, line.at(-1)?.id === id ? 'waiting' : 'full');
    },
    release(id) {
      if (!inside.delete(id)) return;
      states.set(id, 'released');
      serve();
    },
    leave(id) {
      if (states.get(id) !== 'waiting') return;
      line = line.filter((one) => one.id !== id);
      states.set(id, 'abandoned');
    },
    advance(ms) {
      nowMs += ms;
      for (const { id } of line.filter(({ untilMs }) => untilMs <= nowMs)) states.set(id, 'timed_out');
      line = line.filter(({ untilMs }) => untilMs > nowMs);
    },
    resize(next) {
      limit = next;
      serve();
    },
  };
}
