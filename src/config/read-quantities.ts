/**
 * Readers of what can be counted: durations, sizes, numbers, and the choices that stand beside them. Durations and
 * sizes need their unit written out, because a bare 30 has been read as seconds and as milliseconds by the same person.
 * Numbers and truth values may be quoted: what `${NAME}` puts in is always text.
 */
import { read, unreadable, type Reader } from './reading.ts';
import { nearest } from './nearest.ts';

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** A timer set for longer fires at once (HTML, timers: delays are 32-bit signed). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const DURATION_MEND = 'write a number with its unit: 500ms, 30s, 5m or 24h';
const SIZE_MEND = 'write a number with its unit: 512KiB, 10MB or 32MiB';

function quantity(kind: string, perUnit: Readonly<Record<string, number>>, mend: string): Reader<number> {
  return (value) => {
    const text = typeof value === 'number' ? String(value) : value;
    const parts = typeof text === 'string' ? /^(\d+(?:\.\d+)?) ?([A-Za-zµ]*)$/.exec(text) : null;
    if (!parts) return unreadable(`is not a ${kind}`, mend);
    const unit = parts[2] ?? '';
    if (unit === '') return unreadable('has no unit', mend);
    const factor = Object.hasOwn(perUnit, unit) ? perUnit[unit] : undefined;
    if (factor === undefined) return unreadable(`has a unit that no ${kind} has here`, mend);
    return read(Math.round(Number(parts[1]) * factor));
  };
}

const readAnyDuration = quantity('duration', MS_PER_UNIT, DURATION_MEND);
const readAnySize = quantity('size', BYTES_PER_UNIT, SIZE_MEND);

/** Gives milliseconds. */
export function duration(leastMs: number): Reader<number> {
  return (value) => {
    const reading = readAnyDuration(value);
    if (reading.kind === 'unreadable') return reading;
    if (reading.value < leastMs) return unreadable('is too short', `write ${leastMs}ms or more`);
    if (reading.value > LONGEST_TIMER_MS) return unreadable('is longer than a timer can hold', 'write 596h or less');
    return reading;
  };
}

/** Gives bytes: KB, MB, GB count in thousands, KiB, MiB, GiB in 1024s. */
export const readSize: Reader<number> = (value) => {
  const reading = readAnySize(value);
  if (reading.kind === 'unreadable') return reading;
  if (reading.value < 1) return unreadable('is too small', 'write 1B or more');
  if (!Number.isSafeInteger(reading.value)) return unreadable('is too large', 'write a smaller size');
  return reading;
};

function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
}

export function wholeNumber(least: number, most: number): Reader<number> {
  const mend = `write a whole number from ${least} to ${most}`;
  return (value) => {
    const number = toNumber(value);
    if (!Number.isInteger(number)) return unreadable('is not a whole number', mend);
    if (number < least || number > most) return unreadable('is out of range', mend);
    return read(number);
  };
}

/** A count with no natural end: high enough for any machine, low enough that adding them up stays exact. */
export const count = (least: number): Reader<number> => wholeNumber(least, 1_000_000);

export const readPositive: Reader<number> = (value) => {
  const number = toNumber(value);
  if (!Number.isFinite(number)) return unreadable('is not a number', 'write a number above 0');
  return number > 0 ? read(number) : unreadable('is out of range', 'write a number above 0');
};

export const readTruth: Reader<boolean> = (value) => {
  if (value === true || value === 'true') return read(true);
  if (value === false || value === 'false') return read(false);
  return unreadable('is neither true nor false', 'write true or false');
};

export function choice<const T extends string>(...options: readonly T[]): Reader<T> {
  const list = options.join(', ');
  return (value) => {
    const found = options.find((option) => option === value);
    if (found !== undefined) return read(found);
    const guess = typeof value === 'string' ? nearest(value, options) : undefined;
    const mend = guess === undefined ? `write one of: ${list}` : `did you mean ${guess}? It can be: ${list}`;
    return unreadable('is not one of the choices', mend);
  };
}

/** `auto`, or a positive number. */
export const readAutoOrPositive: Reader<'auto' | number> = (value) => {
  if (value === 'auto') return read(value);
  const reading = readPositive(value);
  return reading.kind === 'read' ? reading : unreadable(reading.fault, 'write auto, or a number above 0');
};
