import type { KeyValues } from '../../src/worker/objects/late-writes.ts';

/** An object's storage, as far as it is used, and how often something was written. */
export function createKeyValues(): KeyValues & { writes: number } {
  const values = new Map<string, unknown>();
  const storage = {
    writes: 0,
    get: (key: string) => values.get(key),
    put(key: string, value: unknown) {
      storage.writes++;
      values.set(key, value);
    },
  };
  return storage;
}
