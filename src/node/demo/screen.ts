import { renderLiveLine, renderLiveTable, type LiveRow } from './live-table.ts';

/**
 * Where the live figures go: a table redrawn in place on a terminal, plain lines anywhere else. Only the table is ever
 * rewritten; what stands above it (the curl line) stays as printed, so that it can be selected and copied.
 */
export interface Screen {
  /** How often it makes sense to show something new. */
  readonly everyMs: number;
  show(rows: readonly LiveRow[], elapsedMs: number): void;
}

/** The part of `process.stdout` that is used. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

const REDRAW_MS = 500;
const PLAIN_LINES_MS = 5_000;
const DEFAULT_COLUMNS = 80;
/** A last column left free: writing into it makes some terminals wrap. */
const MARGIN = 1;

export function createScreen(output: Output, environment: Readonly<Record<string, string | undefined>>): Screen {
  if (output.isTTY !== true || environment['TERM'] === 'dumb') return createPlainScreen(output);
  const isColoured = (environment['NO_COLOR'] ?? '') === '';
  let drawnLines = 0;
  let drawnWidth = widthOf(output);
  return {
    everyMs: REDRAW_MS,
    show(rows, elapsedMs) {
      const width = widthOf(output);
      // A terminal that changed its width has wrapped the old table anew: it is left there and a new one begun.
      if (width !== drawnWidth) drawnLines = 0;
      drawnWidth = width;
      const lines = [...frame(rows, elapsedMs, width, isColoured)].slice(0, Math.max(1, (output.rows ?? 24) - 1));
      output.write(redraw(drawnLines, lines));
      drawnLines = lines.length;
    },
  };
}

function createPlainScreen(output: Output): Screen {
  return {
    everyMs: PLAIN_LINES_MS,
    show(rows, elapsedMs) {
      for (const row of rows) output.write(`${Math.round(elapsedMs / 1000)} s  ${renderLiveLine(row)}\n`);
    },
  };
}

export function widthOf({ columns }: Output): number {
  return (columns === undefined || columns === 0 ? DEFAULT_COLUMNS : columns) - MARGIN;
}

function frame(rows: readonly LiveRow[], elapsedMs: number, width: number, isColoured: boolean): string[] {
  const [head = '', ...body] = renderLiveTable(rows, width);
  const total = body.pop() ?? '';
  const note = `${Math.round(elapsedMs / 1000)} s; Ctrl-C ends it; TTFT of the last minute, the rest since the start`;
  const bold = (text: string): string => (isColoured ? `\u001b[1m${text}\u001b[22m` : text);
  const dim = (text: string): string => (isColoured ? `\u001b[2m${text}\u001b[22m` : text);
  return [bold(head), ...body, bold(total), dim(note.slice(0, width))];
}

/** Up over what was drawn before, then each line over its predecessor: nothing is blank in between, so nothing flickers. */
export function redraw(drawnLines: number, lines: readonly string[]): string {
  const up = drawnLines === 0 ? '' : `\u001b[${drawnLines}A\r`;
  return up + lines.map((line) => `${line}\u001b[K\n`).join('');
}
