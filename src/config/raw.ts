/**
 * Looking into the settings before anything is known of their shape. Every question has an answer, `undefined` or an
 * empty list at worst, so that the checks of relations can run beside the faults of single values.
 */
import type { Path } from './fault.ts';

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export function fieldOf(value: unknown, name: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[name];
}

export const valueAt = (raw: unknown, path: Path): unknown => path.reduce<unknown>(fieldOf, raw);

/** The places a pattern such as `tenants[].cache` stands for, as far as they are written in the file. */
export function placesOf(raw: unknown, pattern: string): Path[] {
  let paths: Path[] = [[]];
  for (const part of pattern.split(/\.|(?=\[\])/)) {
    paths = paths.flatMap((path) => {
      if (part === '[]') return listOf(valueAt(raw, path)).map((_, index) => [...path, index]);
      return fieldOf(valueAt(raw, path), part) === undefined ? [] : [[...path, part]];
    });
  }
  return paths;
}
