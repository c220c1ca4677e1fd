/**
 * Rows as text, for a terminal of any width: pure, so that a test can read what people see. Columns that do not fit are
 * left out, the least important first, never cut in the middle.
 */
export interface Column<Row> {
  readonly head: string;
  readonly align: 'left' | 'right';
  /** 0 is never left out; the highest goes first. */
  readonly rank: number;
  readonly cell: (row: Row) => string;
}

const GAP = '  ';

/** The head line and one line a row, each at most `width` characters, as far as the columns of rank 0 allow. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  const filled = columns.map((column) => {
    const cells = [column.head, ...rows.map(column.cell)];
    return { ...column, cells, width: Math.max(...cells.map((cell) => cell.length)) };
  });
  const shown = fitting(filled, width);
  return Array.from({ length: rows.length + 1 }, (_, line) =>
    shown
      .map(({ cells, align, width }) => padded(cells[line] ?? '', align, width))
      .join(GAP)
      .trimEnd(),
  );
}

function fitting<Fitted extends { width: number; rank: number }>(columns: readonly Fitted[], width: number): Fitted[] {
  const shown = [...columns];
  while (totalWidth(shown) > width) {
    const leastImportant = shown.reduce((one, other) => (other.rank > one.rank ? other : one));
    if (leastImportant.rank === 0) break;
    shown.splice(shown.indexOf(leastImportant), 1);
  }
  return shown;
}

function totalWidth(columns: readonly { readonly width: number }[]): number {
  return columns.reduce((sum, column) => sum + column.width, 0) + GAP.length * Math.max(0, columns.length - 1);
}

function padded(text: string, align: 'left' | 'right', width: number): string {
  return align === 'left' ? text.padEnd(width) : text.padStart(width);
}

const UNKNOWN = '–';

/** Three digits are what a reader compares: `640 ms`, `1.24 s`, `12.4 s`. */
export function formatMs(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return ms < 9_995 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(1)} s`;
}

export function formatShare(share: number | null): string {
  return share === null ? UNKNOWN : `${Math.round(share * 100)}%`;
}

export function formatUsd(usd: number): string {
  const text = Math.abs(usd).toFixed(3);
  return usd < 0 && Number(text) !== 0 ? `-$${text}` : `$${text}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
