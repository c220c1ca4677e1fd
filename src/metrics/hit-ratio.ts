import type { Clock } from '../core/clock.ts';

/** Cache reads as a share of all input tokens, per model, over a sliding window of 30 slices of 10 s. */
export interface HitRatio {
  record(model: string, cacheReadTokens: number, inputTokens: number): void;
  /** Models with any input tokens in the window. */
  ratios(): ReadonlyMap<string, number>;
  /** What the ratios are made of: ratios of several processes do not add up, these do. */
  sums(): ReadonlyMap<string, InputSums>;
}

export interface InputSums {
  readonly readTokens: number;
  readonly inputTokens: number;
}

const SLICE_MS = 10_000;
const SLICES = 30;

interface Slice {
  index: number;
  readTokens: number;
  inputTokens: number;
}

export function createHitRatio(clock: Clock): HitRatio {
  const models = new Map<string, Slice[]>();
  const currentIndex = (): number => Math.floor(clock.nowMs() / SLICE_MS);
  const sums = (): Map<string, InputSums> => {
    const oldest = currentIndex() - SLICES + 1;
    const bySlices = [...models].map(([model, slices]) => {
      const live = slices.filter((slice) => slice.index >= oldest);
      const inputTokens = live.reduce((sum, slice) => sum + slice.inputTokens, 0);
      const readTokens = live.reduce((sum, slice) => sum + slice.readTokens, 0);
      return [model, { readTokens, inputTokens }] as const;
    });
    return new Map(bySlices.filter(([, { inputTokens }]) => inputTokens > 0));
  };
  return {
    record(model, cacheReadTokens, inputTokens) {
      const slices = models.get(model) ?? [];
      models.set(model, slices);
      const index = currentIndex();
      let slice = slices.at(-1);
      if (slice?.index !== index) {
        slice = { index, readTokens: 0, inputTokens: 0 };
        slices.push(slice);
        if (slices.length > SLICES) slices.shift();
      }
      slice.readTokens += cacheReadTokens;
      slice.inputTokens += inputTokens;
    },
    ratios: () => new Map([...sums()].map(([model, sum]) => [model, sum.readTokens / sum.inputTokens])),
    sums,
  };
}
