// The tables. Each figure is the median of the rounds with its smallest and largest in brackets; a ratio is taken within a
// round first. "!7" behind a figure: seven calls of that cell failed or brought other bytes, so the figure is not to be read
// as one of a working proxy.

import type { Cell } from './cells.ts';
import type { CpuFigure, FirstByteFigure } from './measure-requests.ts';
import type { StreamFigure } from './measure-streams.ts';
import { failureCount } from './session.ts';
import { spreadOf } from './statistics.ts';

export interface Row {
  readonly name: string;
  readonly title: string;
}

const UNIT = 'pipe';
const LOST_EVENTS_TOLERATED = 0.02;

export function cpuTables(figures: readonly CpuFigure[], rows: readonly Row[], cells: readonly Cell[]): string {
  const header = ['', ...cells.map((cell) => cell.name)];
  const of = (name: string, cell: Cell): CpuFigure[] =>
    figures.filter((figure) => figure.proxy === name && figure.cell === cell.name);
  const ratios = (name: string, unit: string, cell: Cell): number[] =>
    of(name, cell).map((figure) => {
      const same = of(unit, cell).find((candidate) => candidate.round === figure.round);
      return figure.cpuMsPerRequest / (same?.cpuMsPerRequest ?? Number.NaN);
    });
  const cost = rows.map((row) => [
    row.title,
    ...cells.map((cell) => {
      const found = of(row.name, cell);
      return figure(
        found.map((each) => each.cpuMsPerRequest),
        failuresIn(found),
      );
    }),
  ]);
  const relative = rows.map((row) => [
    row.title,
    ...cells.map((cell) => figure(ratios(row.name, UNIT, cell), failuresIn(of(row.name, cell)))),
  ]);
  const peers = rows.some((row) => row.name === 'portkey') && rows.some((row) => row.name === 'slipstream');
  const against = ['Portkey ÷ Slipstream', ...cells.map((cell) => figure(ratios('portkey', 'slipstream', cell), 0))];
  return [
    'CPU of the proxy per request, ms (user + system, all its threads and children)',
    table([header, ...cost]),
    'The same relative to p0 in the same round',
    table([header, ...relative, ...(peers ? [against] : [])]),
  ].join('\n');
}

export function firstByteTable(
  figures: readonly FirstByteFigure[],
  rows: readonly Row[],
  cells: readonly Cell[],
): string {
  const of = (name: string, cell: Cell): FirstByteFigure[] =>
    figures.filter((figure) => figure.proxy === name && figure.cell === cell.name);
  const quantiles: Array<[string, (figure: FirstByteFigure) => number]> = [
    ['p50', (each) => each.addedP50Ms],
    ['p99', (each) => each.addedP99Ms],
  ];
  const lines = rows.flatMap((row) =>
    quantiles.map(([quantile, read]) => [
      `${row.title} ${quantile}`,
      ...cells.map((cell) => figure(of(row.name, cell).map(read), failuresIn(of(row.name, cell)))),
    ]),
  );
  const direct = quantiles.map(([quantile]) => [
    `no proxy ${quantile} (whole time)`,
    ...cells.map((cell) =>
      figure(
        of('direct', cell).map((each) => each.firstByteMs[quantile === 'p50' ? 'p50' : 'p99']),
        failuresIn(of('direct', cell)),
      ),
    ),
  ]);
  return [
    'First byte of the body, added against no proxy in the same round, one call at a time, ms',
    table([['', ...cells.map((cell) => cell.name)], ...lines, ...direct]),
  ].join('\n');
}

const STREAM_COLUMNS: ReadonlyArray<[string, (figure: StreamFigure) => number]> = [
  ['delay p50 ms', (each) => each.watched.delayMs.p50],
  ['added p50', (each) => each.addedP50Ms],
  ['delay p99 ms', (each) => each.watched.delayMs.p99],
  ['added p99', (each) => each.addedP99Ms],
  ['KB per stream', (each) => each.kbPerStream],
  ['CPU µs per event', (each) => each.cpuUsPerEvent],
  ['CPU µs to open', (each) => each.cpuUsToOpen],
];
const BURST_COLUMNS: typeof STREAM_COLUMNS = [
  ...STREAM_COLUMNS.slice(0, 4),
  ['1 MB call p50 ms', (each) => each.watched.burst.totalMs.p50],
  ['1 MB call p99 ms', (each) => each.watched.burst.totalMs.p99],
];

export function streamTable(title: string, figures: readonly StreamFigure[], rows: readonly Row[]): string {
  const hasBurst = figures.some((figure) => figure.watched.burst.calls > 0);
  const columns = hasBurst ? BURST_COLUMNS : STREAM_COLUMNS;
  const lines = [{ name: 'direct', title: 'no proxy' }, ...rows].map((row) => {
    const found = figures.filter((figure) => figure.proxy === row.name);
    const cells = columns.map(([, read]) => figure(found.map(read), failuresIn(found.flatMap(failuresOfStreams))));
    return [row.title, ...cells];
  });
  return [title, table([['', ...columns.map(([name]) => name)], ...lines])].join('\n');
}

/** Every reason for a failure with its count: the mark in a table says that there is one, this says why. */
export function failureLines(
  figures: ReadonlyArray<{ proxy: string; failures: Readonly<Record<string, number>> }>,
): string[] {
  const counts = new Map<string, number>();
  for (const { proxy, failures } of figures) {
    for (const [reason, times] of Object.entries(failures)) {
      const line = `${proxy}: ${reason}`;
      counts.set(line, (counts.get(line) ?? 0) + times);
    }
  }
  return [...counts].map(([line, times]) => `! ${times} × ${line}`);
}

export function failuresOfStreams(figure: StreamFigure): Array<{ proxy: string; failures: Record<string, number> }> {
  const { proxy, opened, watched } = figure;
  const kept: Record<string, number> = {};
  if (watched.cutStreams > 0) kept['stream cut'] = watched.cutStreams;
  if (lostEvents(figure) > 0) kept['event not seen in time'] = lostEvents(figure);
  return [opened.failures, watched.burst.failures, kept].map((failures) => ({ proxy, failures }));
}

// A slow round moves a few events across its end; only more than that is a loss.
function lostEvents({ watched }: StreamFigure): number {
  const lost = watched.expectedEvents - watched.events;
  return lost > watched.expectedEvents * LOST_EVENTS_TOLERATED ? lost : 0;
}

function failuresIn(figures: ReadonlyArray<{ failures: Readonly<Record<string, number>> }>): number {
  return figures.reduce((sum, each) => sum + failureCount(each.failures), 0);
}

function figure(values: readonly number[], failures: number): string {
  const spread = spreadOf(values);
  const mark = failures === 0 ? '' : ` !${failures}`;
  if (spread.rounds === 0) return `–${mark}`;
  const { median, min, max, rounds } = spread;
  return rounds === 1 ? `${short(median)}${mark}` : `${short(median)} (${short(min)}–${short(max)})${mark}`;
}

function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(size >= 1 ? 2 : 3);
}

function table(lines: ReadonlyArray<readonly string[]>): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = lines.map((line) =>
    line
      .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  const rule = '-'.repeat(padded[0]?.length ?? 0);
  return [padded[0] ?? '', rule, ...padded.slice(1), ''].join('\n');
}
