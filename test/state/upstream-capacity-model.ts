/**
 * An upstream's capacity without the order: who is in, who waits, and what must hold after every step, whoever was chosen.
 */
export interface Asked {
  readonly id: number;
  readonly tenant: string;
  readonly lane: string;
  readonly untilMs: number;
}

export interface CapacityModel {
  readonly waiting: ReadonlyMap<number, Asked>;
  readonly inside: ReadonlyMap<number, Asked>;
  nowMs: number;
  limit: number;
  ask(asked: Asked): void;
  /** What the engine says has become of one that waited. */
  settle(id: number, kind: string): void;
  leave(id: number): void;
  release(id: number): void;
  /** The complaints: empty while all is well. */
  faults(isShut: (lane: string) => boolean): string[];
}

export function createCapacityModel(limit: number): CapacityModel {
  const waiting = new Map<number, Asked>();
  const inside = new Map<number, Asked>();
  const faults: string[] = [];
  const model: CapacityModel = {
    waiting,
    inside,
    nowMs: 0,
    limit,
    ask: (asked) => void waiting.set(asked.id, asked),
    settle(id, kind) {
      const asked = waiting.get(id);
      if (!asked) {
        faults.push(`${id} was ${kind} without waiting`);
        return;
      }
      waiting.delete(id);
      if (kind === 'timed_out' && asked.untilMs > model.nowMs) faults.push(`${id} timed out early`);
      if (kind !== 'granted') return;
      const passed = [...waiting.values()].find(
        (other) => other.id < id && other.tenant === asked.tenant && other.lane === asked.lane,
      );
      if (passed) faults.push(`${id} passed ${passed.id} of its own line`);
      if (inside.size >= model.limit) faults.push(`${id} was let in above the limit`);
      inside.set(id, asked);
    },
    leave: (id) => void waiting.delete(id),
    release: (id) => void inside.delete(id),
    faults(isShut) {
      const late = [...waiting.values()].filter(({ untilMs }) => untilMs < model.nowMs);
      const idle = inside.size < model.limit ? [...waiting.values()].filter(({ lane }) => !isShut(lane)) : [];
      return [
        ...faults,
        ...late.map(({ id }) => `${id} waits behind its deadline`),
        ...idle.map(({ id }) => `${id} waits though there is room`),
      ];
    },
  };
  return model;
}
