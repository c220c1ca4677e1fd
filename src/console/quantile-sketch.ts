import { roundedMs } from './shown.ts';

/**
 * How durations are spread, in bins whose bounds grow by 4 %: a quantile is within 2 % of one that was there, and two
 * sketches of different times or processes add up to the one that both together would have made.
 */
export interface QuantileSketch {
  add(value: number): void;
  addAll(other: QuantileSketch): void;
  /** @param share 0.5 is the median; null where there are no values. */
  quantile(share: number): number | null;
  /** Bin → how many. */
  readonly bins: ReadonlyMap<number, number>;
}

const GROWTH = 1.04;
/** All below are the same to whoever reads milliseconds. */
const SMALLEST = 0.1;

export function createQuantileSketch(): QuantileSketch {
  const bins = new Map<number, number>();
  let total = 0;
  const put = (bin: number, count: number): void => {
    bins.set(bin, (bins.get(bin) ?? 0) + count);
    total += count;
  };
  return {
    bins,
    add: (value) => put(binOf(value), 1),
    addAll(other) {
      for (const [bin, count] of other.bins) put(bin, count);
    },
    quantile(share) {
      let left = Math.floor(share * (total - 1));
      for (const [bin, count] of [...bins].sort(([one], [another]) => one - another)) {
        left -= count;
        if (left < 0) return valueOf(bin);
      }
      return null;
    },
  };
}

function binOf(value: number): number {
  return value <= SMALLEST ? 0 : Math.ceil(Math.log(value / SMALLEST) / Math.log(GROWTH));
}

/** In the middle of the bin's bounds; the lowest stands for nothing worth a figure. */
function valueOf(bin: number): number {
  return bin === 0 ? 0 : roundedMs((SMALLEST * GROWTH ** bin * 2) / (1 + GROWTH));
}
