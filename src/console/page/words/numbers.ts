/**
 * Numbers as the page writes them: always with a unit, in as many digits as anybody can use, and a dash for what is not
 * known. A figure keeps its width while it moves as far as that goes, so that columns stand still.
 */
export const UNKNOWN = '–';

export function withUnit(number: string | number, unit: string): string {
  return `${number} ${unit}`;
}

/** In running text a number and its unit stay on one line. */
export function unbroken(text: string): string {
  return text.replaceAll(' ', '\u00a0');
}

const MINUS = '−';

function grouped(value: number, decimals = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

export function formatCount(count: number | null): string {
  return count === null ? UNKNOWN : grouped(count);
}

/** `950`, `12.4 k`, `1.24 M`. */
export function formatTokens(tokens: number | null): string {
  if (tokens === null) return UNKNOWN;
  if (tokens < 1000) return grouped(Math.round(tokens));
  const [scaled, unit] = tokens < 999_500 ? [tokens / 1e3, 'k'] : [tokens / 1e6, 'M'];
  return withUnit(grouped(scaled, scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0), unit);
}

/** @param share 0 to 1. */
export function formatShare(share: number | null): string {
  if (share === null) return UNKNOWN;
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1%';
  if (percent < 100 && percent > 99.9) return '>99.9%';
  return `${grouped(percent, 1)}%`;
}

/** Of a chart's axis: round numbers, as short as they are. */
export function tickTokens(tokens: number): string {
  return tokens < 1000 ? grouped(tokens) : withUnit((tokens / 1e3).toLocaleString('en-US'), 'k');
}

export function tickShare(share: number): string {
  return `${Math.round(share * 100)}%`;
}

/** @param perSecond tokens a second. */
export function formatTokenRate(perSecond: number | null): string {
  if (perSecond === null) return UNKNOWN;
  const number = perSecond < 1000 ? grouped(perSecond, perSecond < 10 ? 1 : 0) : formatTokens(perSecond);
  return withUnit(number, 'tok/s');
}

/** Cents where there are dollars; more digits where the whole is a matter of cents. */
export function formatUsd(usd: number | null, decimals = usdDecimals(usd ?? 0)): string {
  if (usd === null) return UNKNOWN;
  const size = Math.abs(usd);
  if (size === 0) return decimals > 2 ? '$0' : `$${grouped(0, decimals)}`;
  const sign = usd < 0 ? MINUS : '';
  const smallest = 10 ** -decimals;
  if (size < smallest / 2) return `${sign}<$${grouped(smallest, decimals)}`;
  return `${sign}$${grouped(size, decimals)}`;
}

/** So that a column whose largest entry is `largestUsd` can be read and compared. */
export function usdDecimals(largestUsd: number): number {
  const size = Math.abs(largestUsd);
  if (size >= 1) return size >= 100_000 ? 0 : 2;
  return size >= 0.1 ? 3 : 4;
}
