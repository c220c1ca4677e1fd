/** The newest things by id, up to a number: what an operator can still ask about. One process's memory, no more. */
export interface Recent<Value> {
  add(id: string, value: Value): void;
  get(id: string): Value | undefined;
  /** Newest first. */
  list(most: number): readonly Value[];
}

export function createRecent<Value>(capacity: number): Recent<Value> {
  const values = new Map<string, Value>();
  return {
    add(id, value) {
      values.set(id, value);
      if (values.size > capacity) values.delete(values.keys().next().value as string);
    },
    get: (id) => values.get(id),
    list: (most) => [...values.values()].slice(-most).toReversed(),
  };
}
