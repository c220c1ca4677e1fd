import type { Place } from '../../core/choose-upstream.ts';

/** Places as they stand in Redis: short, and read with care, since another version of this program may have written them. */
export type KeyedPlace = readonly [key: number, place: Place];

export function writePlaces(places: readonly KeyedPlace[]): string {
  return JSON.stringify(
    places.map(([key, { upstreamId, cacheDomain, holds }]) => [key, upstreamId, cacheDomain, Number(holds)]),
  );
}

/** Without those that cannot be understood. */
export function readPlaces(text: string): KeyedPlace[] {
  return rowsOf(text).flatMap((row): KeyedPlace[] => {
    if (!Array.isArray(row)) return [];
    const [key, upstreamId, cacheDomain, holds] = row as readonly unknown[];
    if (typeof key !== 'number' || typeof upstreamId !== 'string' || typeof cacheDomain !== 'string') return [];
    return [[key, { upstreamId, cacheDomain, holds: holds === 1 }]];
  });
}

function rowsOf(text: string): readonly unknown[] {
  try {
    const rows: unknown = JSON.parse(text);
    return Array.isArray(rows) ? rows : [];
  } catch {
    return [];
  }
}
