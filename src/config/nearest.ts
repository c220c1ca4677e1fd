/**
 * "Did you mean": the option a misspelt word most likely stands for, or undefined when none is near. Case and the
 * signs `_` and `-` do not count, so `max_concurrency` finds `maxConcurrency`.
 */

export function nearest(word: string, options: readonly string[]): string | undefined {
  const plain = simplify(word);
  // Words are typed by people; the distance is quadratic, so a pasted essay is not measured.
  if (plain.length === 0 || plain.length > 64) return undefined;
  let best: { option: string; distance: number } | undefined;
  for (const option of options) {
    const target = simplify(option);
    const distance = editDistance(plain, target);
    const near = distance <= Math.max(1, Math.floor(Math.max(plain.length, target.length) / 3));
    if (near && distance < Math.min(target.length, best?.distance ?? Infinity)) best = { option, distance };
  }
  return best?.option;
}

const simplify = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '');

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        cell(last, column) + 1,
        cell(current, column - 1) + 1,
        cell(last, column - 1) + (same ? 0 : 1),
      );
      const swapped = row > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, cell(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return cell(last, to.length);
}

const cell = (row: readonly number[], column: number): number => row[column] ?? Infinity;
