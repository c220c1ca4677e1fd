import type uPlot from 'uplot';
import type { ChartColors } from '../data/use-chart-colors.ts';
import { formatMinute } from '../words/times.ts';

/** How uPlot draws a chart of ours: thin lines, few ticks, all cursors at one time. */
export interface ChartLook {
  readonly lines: readonly Line[];
  /** Of round numbers on the axis, shorter. */
  readonly formatTick: (value: number) => string;
  /** Where the scale ends, if it is known; else it follows the data. */
  readonly most: number | undefined;
  readonly colors: ChartColors;
  readonly onCursor: (cursor: ChartCursor | null) => void;
}

export interface Line {
  readonly name: string;
  readonly stroke: 'accent' | 'ink' | 'soft';
  readonly isDashed?: boolean;
  readonly isFilled?: boolean;
  readonly values: readonly (number | null)[];
}

/** Where the cursor is: in which place of the columns, and how far from the left of the drawing. */
export interface ChartCursor {
  readonly at: number;
  readonly leftPx: number;
}

const HEIGHT = 148;
const AXIS = 52;
const DASH = [5, 4];

export function chartOptions({ lines, formatTick, most, colors, onCursor }: ChartLook): uPlot.Options {
  const axis = { stroke: colors.soft, font: colors.font, ticks: { show: false } };
  return {
    width: 300,
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 18, 0, 0], // half of the last minute on the axis stands out to the right
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'live' }, points: { size: 6 } },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_plot, _min, max) => [0, most ?? Math.max(max * 1.1, Number.MIN_VALUE)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 24, space: 70, values: (_plot, times) => times.map(minuteOf) },
      {
        ...axis,
        grid: { stroke: colors.line, width: 1 },
        size: AXIS,
        space: 28,
        values: (_plot, values) => values.map((value) => formatTick(value)),
      },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line, colors))],
    hooks: { setCursor: [(plot) => onCursor(cursorOf(plot))] },
  };
}

function seriesOf({ name, stroke, isDashed, isFilled }: Line, colors: ChartColors): uPlot.Series {
  return {
    label: name,
    stroke: colors[stroke],
    width: 1.5,
    ...(isDashed && { dash: DASH }),
    ...(isFilled && { fill: colors.fill }),
    points: { show: true, size: 3, filter: (plot, series) => lonely(plot.data[series] ?? []) },
  };
}

/** A line through one point is none: points without a neighbour are drawn as such. */
function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const isThere = (at: number): boolean => (values[at] ?? null) !== null;
  return Array.from(values, (_, at) => at).filter((at) => isThere(at) && !isThere(at - 1) && !isThere(at + 1));
}

function cursorOf({ cursor: { idx, left = -1 } }: uPlot): ChartCursor | null {
  return idx == null || left < 0 ? null : { at: idx, leftPx: AXIS + left };
}

function minuteOf(timeS: number): string {
  return formatMinute(timeS * 1000);
}
