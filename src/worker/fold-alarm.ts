/**
 * The alarm by which an object stores what it has in memory, a moment after it has changed: before the runtime may take an
 * idle object out of memory, after 10 s (docs: Durable Objects, lifecycle). One that fails is run again by the runtime, and
 * given up in the end: the next change sets another.
 */
export interface FoldAlarm {
  /** Something has changed; without effect where an alarm is set already. */
  set(): Promise<void>;
  /** It has gone off. */
  rang(): void;
}

const FOLD_AFTER_MS = 5_000;

export function createFoldAlarm(storage: Pick<DurableObjectStorage, 'setAlarm'>): FoldAlarm {
  let isSet = false;
  return {
    async set() {
      if (isSet) return;
      await storage.setAlarm(Date.now() + FOLD_AFTER_MS); // two at once set the same one
      isSet = true;
    },
    rang() {
      isSet = false;
    },
  };
}
