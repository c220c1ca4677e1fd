import type { Slots } from '../../state/slots.ts';
import { createSlotLine, type SlotLine, type SlotLineOptions } from './slot-line.ts';

/** Slots of a tenant over all replicas; what each line does is in slot-line.ts, and in Redis in slot-scripts.ts. */
export interface RedisSlots extends Slots {
  /** What Redis says on this replica's channel: `<name>\n<id>`. */
  hear(message: string): void;
  /** Renews what has to be renewed, and asks for what may have been granted without our hearing of it. */
  syncDue(): Promise<void>;
  /** After Redis was away: tells it all that is held here. `isWhole`: and that nothing else is. */
  syncAll(isWhole: boolean): Promise<void>;
  goAlone(): void;
}

export interface RedisSlotsOptions extends Omit<SlotLineOptions, 'name' | 'nextId' | 'onIdle'> {
  readonly instance: string;
}

export function createRedisSlots({ instance, ...options }: RedisSlotsOptions): RedisSlots {
  const lines = new Map<string, SlotLine>();
  let lastId = 0;
  // Padded, so that tickets of the same microsecond stand in the order of asking.
  const nextId = (): string => `${instance}:${(++lastId).toString(36).padStart(8, '0')}`;
  const lineOf = (name: string): SlotLine => {
    const known = lines.get(name);
    if (known) return known;
    const onIdle = (): void => {
      if (lines.get(name) === line) lines.delete(name);
    };
    const line = createSlotLine({ ...options, name, nextId, onIdle });
    lines.set(name, line);
    return line;
  };
  const sync = async (due: readonly SlotLine[], isWhole: boolean): Promise<void> => {
    for (const batch of batchesOf(due)) {
      const answered = await Promise.all(batch.map((line) => line.sync(isWhole)));
      if (answered.includes(false)) return;
    }
  };
  return {
    async acquire(name, rules, signal) {
      return signal.aborted ? { kind: 'abandoned' } : lineOf(name).acquire(rules, signal);
    },
    setLimit: (name, limit) => lines.get(name)?.setLimit(limit),
    counts() {
      const counts = [...lines].map(([name, line]) => [name, line.count()] as const);
      return new Map(counts.filter(([, { inUse, waiting }]) => inUse > 0 || waiting > 0));
    },
    hear(message) {
      const at = message.lastIndexOf('\n');
      lines.get(message.slice(0, at))?.wake(message.slice(at + 1));
    },
    syncDue() {
      const nowMs = options.clock.nowMs();
      return sync(
        [...lines.values()].filter((line) => line.isDue(nowMs)),
        false,
      );
    },
    syncAll: (isWhole) => sync([...lines.values()], isWhole),
    goAlone() {
      for (const line of lines.values()) line.goAlone();
    },
  };
}

/** What Redis does in a few milliseconds: requests come in between, and none of them takes Redis for slow. */
const BATCH_ENTRIES = 500;

function* batchesOf(lines: readonly SlotLine[]): Generator<SlotLine[]> {
  let [batch, entries]: [SlotLine[], number] = [[], 0];
  for (const line of lines) {
    const { inUse, waiting } = line.count();
    batch.push(line);
    entries += inUse + waiting + LINE_ENTRIES;
    if (entries < BATCH_ENTRIES) continue;
    yield batch;
    [batch, entries] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

/** A script without entries takes as long as one with so many. */
const LINE_ENTRIES = 10;
