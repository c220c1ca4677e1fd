/** How values are shown: no longer and no finer than anybody reads. */

/** To the microsecond: more digits than that are noise of the clock. */
export function roundedMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

const LONGEST_NAME = 100;

/** A model's name is the caller's to choose. */
export function shownModel(model: string | null): string | null {
  return model?.slice(0, LONGEST_NAME) ?? null;
}
