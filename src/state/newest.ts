/** The newest of things by key, up to a number. Invariant: the map's own order is that of the last `set`, oldest first. */
export interface Newest<Key, Value> {
  get(key: Key): Value | undefined;
  /** Also of a key that is there: it is the newest then. */
  set(key: Key, value: Value): void;
  delete(key: Key): void;
}

export function createNewest<Key, Value>(most: number): Newest<Key, Value> {
  const values = new Map<Key, Value>();
  return {
    get: (key) => values.get(key),
    set(key, value) {
      values.delete(key);
      values.set(key, value);
      if (values.size > most) values.delete(values.keys().next().value as Key);
    },
    delete: (key) => void values.delete(key),
  };
}
