/** The newest of things by key, up to a number. Invariant: the map's own order is that of the last `set`, oldest first. */
export interface Newest<Key, Value> {
  get(key: Key): Value | undefined;
  /** Also of a key that is there: it is the newest then. */
  set(key: Key, value: Value): void;
  delete(key: Key): void;
  /** Newest first. */
  list(most: number): readonly Value[];
}

export function createNewest<Key, Value>(capacity: number): Newest<Key, Value> {
  const values = new Map<Key, Value>();
  return {
    get: (key) => values.get(key),
    set(key, value) {
      values.delete(key);
      values.set(key, value);
      dropOldest(values, capacity);
    },
    delete: (key) => void values.delete(key),
    list: (most) => [...values.values()].slice(-most).toReversed(),
  };
}

/** After each addition, for a map or set with an order of its own: whoever is put in again at its end is the newest. */
export function dropOldest<Key>(entries: Map<Key, unknown> | Set<Key>, most: number): void {
  if (entries.size > most) entries.delete(entries.keys().next().value as Key);
}
