import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { spanOf } from '../data/buckets.ts';
import { useChartColors } from '../data/use-chart-colors.ts';
import { chartOptions, type ChartCursor, type ChartLook, type Line } from './chart-options.ts';
import { chartSummary } from '../words/chart-summary.ts';
import { formatClock } from '../words/times.ts';

/**
 * A chart over the last half hour with its legend, which names the value under the cursor or else the newest one. The
 * drawing itself is a picture to a screen reader, with its summary in words; the figures are in the table below the
 * charts. It is built once and only given new data: nothing on it blinks.
 */
export interface ChartProps {
  readonly title: string;
  readonly timesS: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number | null) => string;
  readonly formatTick: ChartLook['formatTick'];
  readonly most?: number;
  /** Said in place of an empty drawing. */
  readonly empty: string;
}

export function Chart({ title, timesS, lines, format, formatTick, most, empty }: ChartProps) {
  const isEmpty = lines.every(({ values }) => values.every((value) => value === null));
  const [cursor, setCursor] = useState<ChartCursor | null>(null);
  const frame = useUplot(timesS, lines, formatTick, most, setCursor);
  const at = cursor !== null && cursor.at < timesS.length ? cursor.at : null;
  const summary = useMemo(() => chartSummary(title, timesS, lines, format), [title, timesS, lines, format]);
  return (
    <figure class="chart">
      <figcaption>
        <span class="title">{title}</span>
        <Legend lines={lines} at={at} format={format} />
      </figcaption>
      <div class="drawing" role="img" aria-label={summary}>
        <div ref={frame} />
        {cursor !== null && at !== null && (
          <span class="time" style={{ left: `${cursor.leftPx}px` }}>
            {formatClock((timesS[at] ?? 0) * 1000)}
          </span>
        )}
        {isEmpty && <p class="empty">{empty}</p>}
      </div>
    </figure>
  );
}

interface LegendProps extends Pick<ChartProps, 'lines' | 'format'> {
  readonly at: number | null;
}

function Legend({ lines, at, format }: LegendProps) {
  return (
    <span class="legend">
      {lines.map(({ name, stroke, isDashed, values }) => (
        <span key={name}>
          <span class={`swatch ${stroke}${isDashed ? ' dashed' : ''}`} aria-hidden="true" />
          {name} <b>{format(at === null ? newest(values) : (values[at] ?? null))}</b>
        </span>
      ))}
    </span>
  );
}

function newest(values: readonly (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

/** @returns a ref for the element that the drawing goes into. */
function useUplot(
  timesS: readonly number[],
  lines: readonly Line[],
  formatTick: ChartLook['formatTick'],
  most: number | undefined,
  onCursor: ChartLook['onCursor'],
) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const colors = useChartColors();
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const made = new uPlot(chartOptions({ lines, formatTick, most, colors, onCursor }), undefined, element);
    plot.current = made;
    const resizing = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0) made.setSize({ width, height: made.height });
    });
    resizing.observe(element);
    return () => {
      resizing.disconnect();
      made.destroy();
    };
  }, [colors]);
  useEffect(() => {
    plot.current?.batch(() => {
      plot.current?.setData([[...timesS], ...lines.map(({ values }) => [...values])], false);
      plot.current?.setScale('x', spanOf(timesS));
    });
  }, [timesS, lines, colors]);
  return frame;
}
