import type { SavingsEntry } from './savings-book.ts';

/** The savings by day, tenant and model as RFC 4180 has it: for a spreadsheet, hence no cell that one would calculate. */
const COLUMNS: readonly (readonly [name: string, cell: (entry: SavingsEntry) => string | number])[] = [
  ['day (UTC)', ({ day }) => day],
  ['tenant', ({ tenant }) => tenant],
  ['model', ({ model }) => model],
  ['requests', ({ sums }) => sums.requests],
  ['uncached input (tokens)', ({ sums }) => sums.tokens.uncached],
  ['cache read (tokens)', ({ sums }) => sums.tokens.cacheRead],
  ['cache write 5m (tokens)', ({ sums }) => sums.tokens.cacheWrite5m],
  ['cache write 1h (tokens)', ({ sums }) => sums.tokens.cacheWrite1h],
  ['output (tokens)', ({ sums }) => sums.tokens.output],
  ['cost (USD)', ({ sums }) => dollars(sums.costUsd)],
  ['cost without caching (USD)', ({ sums }) => dollars(sums.withoutCacheUsd)],
  ['write premium (USD)', ({ sums }) => dollars(sums.writePremiumUsd)],
  ['saved net (USD)', ({ sums }) => dollars(sums.savedUsd)],
];

export function savingsCsv(entries: readonly SavingsEntry[]): string {
  const rows = [COLUMNS.map(([name]) => name), ...entries.map((entry) => COLUMNS.map(([, cell]) => cell(entry)))];
  return rows.map((cells) => `${cells.map(toCell).join(',')}\r\n`).join('');
}

/** Spreadsheets run a text that begins like a formula (OWASP, CSV injection): an apostrophe before it makes it a text. */
function toCell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]|^'/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A micro-dollar is less than any token costs. */
function dollars(usd: number): number {
  return Number(usd.toFixed(6));
}
