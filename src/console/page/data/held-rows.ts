/**
 * A list that moves while somebody points at it: rows that are gone stay where they were, marked, until nobody reads them
 * any more, so that nothing slips away under a finger or loses the focus.
 */
export interface HeldRow<Row> {
  readonly row: Row;
  readonly isGone: boolean;
}

/** @param current in an order that does not change among those that stay. */
export function holdRows<Row extends { readonly id: string }>(
  shown: readonly HeldRow<Row>[],
  current: readonly Row[],
  isHeld: boolean,
): readonly HeldRow<Row>[] {
  if (!isHeld) return current.map((row) => ({ row, isGone: false }));
  const byId = new Map(current.map((row) => [row.id, row]));
  const known = new Set(shown.map(({ row }) => row.id));
  const stayed = shown.map(({ row }) => ({ row: byId.get(row.id) ?? row, isGone: !byId.has(row.id) }));
  return [...stayed, ...current.filter(({ id }) => !known.has(id)).map((row) => ({ row, isGone: false }))];
}
