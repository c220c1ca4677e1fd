import { UNKNOWN, withUnit } from './numbers.ts';

/**
 * Durations and times of day in words. Durations have three digits where a machine is measured and whole units where a
 * person waits; times of day are those of whoever looks at the page, days are UTC because money is counted so.
 */
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `0.4 ms`, `640 ms`, `1.24 s`, `12.4 s`, then as an age. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms < 9.95) return withUnit((Math.round(ms * 10) / 10).toFixed(1), 'ms');
  if (ms < 999.5) return withUnit(Math.round(ms), 'ms');
  if (ms < 9995) return withUnit((ms / SECOND_MS).toFixed(2), 's');
  if (ms < 59_950) return withUnit((ms / SECOND_MS).toFixed(1), 's');
  return formatAge(Math.round(ms / SECOND_MS) * SECOND_MS);
}

/** Of a chart's axis: round numbers, as short as they are. */
export function tickDuration(ms: number): string {
  if (ms === 0) return '0';
  return ms < SECOND_MS ? withUnit(ms, 'ms') : withUnit((ms / SECOND_MS).toLocaleString('en-US'), 's');
}

/** To the tenth of a millisecond, for one request's story. */
export function formatExactMs(ms: number): string {
  return withUnit(ms.toLocaleString('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 }), 'ms');
}

/** In whole units, the two largest: `12 s`, `4 min 10 s`, `1 h 5 min`, `3 d 4 h`. */
export function formatAge(ms: number): string {
  const wholeMs = Math.max(0, Math.floor(ms / SECOND_MS)) * SECOND_MS;
  if (wholeMs < MINUTE_MS) return withUnit(wholeMs / SECOND_MS, 's');
  if (wholeMs < HOUR_MS) return twoUnits(wholeMs, MINUTE_MS, 'min', SECOND_MS, 's');
  if (wholeMs < DAY_MS) return twoUnits(wholeMs, HOUR_MS, 'h', MINUTE_MS, 'min');
  return twoUnits(wholeMs, DAY_MS, 'd', HOUR_MS, 'h');
}

function twoUnits(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % largeMs) / smallMs);
  const first = withUnit(Math.floor(ms / largeMs), large);
  return rest > 0 ? `${first} ${withUnit(rest, small)}` : first;
}

/** `4:05`, `58:20`: what is left of a time to live. */
export function formatCountdown(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / SECOND_MS));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `09:12:04` on the clock of whoever looks. */
export function formatClock(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB', { hourCycle: 'h23' });
}

/** `09:12`, for the axis of a chart. */
export function formatMinute(atMs: number): string {
  return formatClock(atMs).slice(0, 5);
}

/** `22 Nov 2026, 09:12:04`. */
export function formatInstant(atMs: number): string {
  const day = new Date(atMs).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
  return `${day}, ${formatClock(atMs)}`;
}

/** The UTC day, as savings name it: `2026-11-22`. */
export function utcDay(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
