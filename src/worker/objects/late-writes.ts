import type { Clock } from '../../core/clock.ts';

/** The part of an object's synchronous storage that is used. */
export interface KeyValues {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
}

export interface LateWritesParts {
  readonly storage: KeyValues;
  readonly clock: Clock;
  readonly key: string;
  /** What is younger is lost with an object that ends. A timer keeps it from ending for idleness. */
  readonly afterMs: number;
  readonly value: () => unknown;
}

/**
 * To be called at each change of a value that is to outlive its object. It is written once in a while: an object's answers
 * wait until what it has written is on disk, which would hold up every request of the tenant.
 */
export function createLateWrites({ storage, clock, key, afterMs, value }: LateWritesParts): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    clock.after(afterMs, () => {
      isDue = false;
      storage.put(key, value());
    });
  };
}
