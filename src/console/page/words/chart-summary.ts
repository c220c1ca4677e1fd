import { formatMinute } from './times.ts';

/** A chart in words, for those who do not see it: of every line the newest, the lowest and the highest value. */
export interface SummedLine {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

export function chartSummary(
  title: string,
  timesS: readonly number[],
  lines: readonly SummedLine[],
  format: (value: number | null) => string,
): string {
  const parts = lines.flatMap(({ name, values }) => {
    const known = values.flatMap((value, at) => (value === null ? [] : [{ value, at: (timesS[at] ?? 0) * 1000 }]));
    const [first, ...rest] = known;
    if (!first) return [];
    const lowest = rest.reduce((low, point) => (point.value < low.value ? point : low), first);
    const highest = rest.reduce((high, point) => (point.value > high.value ? point : high), first);
    const newest = known.at(-1) ?? first;
    return [
      `${name}: now ${format(newest.value)}, lowest ${format(lowest.value)} at ${formatMinute(lowest.at)}, ` +
        `highest ${format(highest.value)} at ${formatMinute(highest.at)}.`,
    ];
  });
  return `${title}, last half hour. ${parts.length > 0 ? parts.join(' ') : 'No figures yet.'}`;
}
