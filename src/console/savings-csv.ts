import type { Clock } from '../core/clock.ts';
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

/** Some 2 ms: after each, others have their turn, because five weeks of many tenants take half a second. */
const SLICE_LINES = 500;

export async function savingsCsv(entries: readonly SavingsEntry[], { after }: Pick<Clock, 'after'>): Promise<string> {
  let text = toLine(COLUMNS.map(([name]) => name));
  for (let from = 0; from < entries.length; from += SLICE_LINES) {
    if (from > 0) await new Promise<void>((resolve) => void after(0, resolve));
    for (const entry of entries.slice(from, from + SLICE_LINES)) text += toLine(COLUMNS.map(([, cell]) => cell(entry)));
  }
  return text;
}

function toLine(cells: readonly (string | number)[]): string {
  return `${cells.map(toCell).join(',')}\r\n`;
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
