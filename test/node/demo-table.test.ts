import { describe, expect, it } from 'vitest';
import {
  liveRows,
  renderLiveLine,
  renderLiveTable,
  type LiveRow,
  type Reading,
} from '../../src/node/demo/live-table.ts';
import { createScreen, redraw, type Output } from '../../src/node/demo/screen.ts';
import { isClean, renderSummary, type RunResult } from '../../src/node/demo/summary.ts';
import { formatMs, formatShare, formatUsd, renderTable, type Column } from '../../src/node/demo/table.ts';
import { sumOf } from '../../src/node/demo/tally.ts';

const NO_FIGURES = sumOf([]);

function reading(changes: Partial<Reading>): Reading {
  const none = { tenant: 'chat', traffic: 'growing conversations', openStreams: 0, waiting: 0, retries: 0 };
  return { ...none, figures: NO_FIGURES, ...changes };
}

function liveRow(changes: Partial<LiveRow>): LiveRow {
  const [row] = liveRows([reading({})], 0);
  return { ...(row as LiveRow), ...changes };
}

const BIGGEST = liveRow({
  tenant: 'greedy',
  openStreams: 20,
  waiting: 64,
  requests: 99_999,
  ttftP50Ms: 59_900,
  ttftP95Ms: 119_900,
  hitRatio: 1,
  retries: 9_999,
  usd: 999.999,
  savedUsd: -99.999,
});

describe('the table', () => {
  const columns: Column<{ name: string; value: number }>[] = [
    { head: 'name', align: 'left', rank: 0, cell: (row) => row.name },
    { head: 'value', align: 'right', rank: 1, cell: (row) => String(row.value) },
    { head: 'twice', align: 'right', rank: 2, cell: (row) => String(row.value * 2) },
  ];
  const rows = [
    { name: 'a', value: 7 },
    { name: 'longer', value: 123_456 },
  ];

  it('makes every column as wide as its widest cell', () => {
    expect(renderTable(columns, rows, 80)).toEqual([
      'name     value   twice',
      'a            7      14',
      'longer  123456  246912',
    ]);
  });

  it('leaves out the least important column where they do not all fit', () => {
    expect(renderTable(columns, rows, 21)).toEqual(['name     value', 'a            7', 'longer  123456']);
  });

  it('never leaves out a column of rank 0', () => {
    expect(renderTable(columns, rows, 1)).toEqual(['name', 'a', 'longer']);
  });
});

describe('figures in the table', () => {
  it('shows three digits of a time', () => {
    expect([0, 639.6, 999.4, 999.5, 1_240, 9_994, 9_995, 12_400].map(formatMs)).toEqual([
      '0 ms',
      '640 ms',
      '999 ms',
      '1.00 s',
      '1.24 s',
      '9.99 s',
      '10.0 s',
      '12.4 s',
    ]);
  });

  it('shows a loss as a loss, and nothing as nothing', () => {
    expect([0.0123, -0.25, -0.0001, 0].map(formatUsd)).toEqual(['$0.012', '-$0.250', '$0.000', '$0.000']);
  });

  it('tells unknown from zero', () => {
    expect([formatMs(null), formatShare(null), formatShare(0)]).toEqual(['–', '–', '0%']);
  });
});

describe('the live table', () => {
  it('has all its columns but the description on 80 columns', () => {
    const [head] = renderLiveTable([liveRow({ requests: 1_234, usd: 12.345, savedUsd: -0.5 })], 79);
    expect(head).toMatch(/^tenant +open +queue +done +TTFT p50 +p95 +hit +retries +spent +saved$/);
  });

  it('never writes a line that is wider than the terminal', () => {
    for (const width of [40, 60, 79, 100, 140]) {
      for (const line of renderLiveTable([BIGGEST], width)) expect(line.length).toBeLessThanOrEqual(width);
    }
  });

  it('keeps streams, TTFT, hit rate and savings longest', () => {
    const [head] = renderLiveTable([liveRow({})], 40);
    expect(head).toMatch(/^tenant +open +TTFT p50 +hit +saved$/);
  });

  it('adds a row for all tenants, its TTFT taken over all requests', () => {
    const figuresOf = (ttfts: number[], answered: number) => ({
      ...NO_FIGURES,
      answered,
      firstTokens: ttfts.map((ttftMs) => ({ endedAtMs: 100_000, ttftMs })),
    });
    const rows = liveRows(
      [
        reading({ tenant: 'chat', openStreams: 2, waiting: 1, retries: 3, figures: figuresOf([10, 20, 30], 3) }),
        reading({ tenant: 'rag', openStreams: 1, waiting: 4, figures: figuresOf([900, 1_000], 2) }),
      ],
      100_000,
    );
    expect(rows.map((row) => row.tenant)).toEqual(['chat', 'rag', 'total']);
    expect(rows[2]).toMatchObject({
      openStreams: 3,
      waiting: 5,
      retries: 3,
      requests: 5,
      ttftP50Ms: 30,
      ttftP95Ms: 1_000,
    });
  });

  it('forgets the TTFT of requests that ended more than a minute ago', () => {
    const firstTokens = [
      { endedAtMs: 1_000, ttftMs: 5_000 },
      { endedAtMs: 90_000, ttftMs: 500 },
    ];
    const [row] = liveRows([reading({ figures: { ...NO_FIGURES, firstTokens } })], 100_000);
    expect(row?.ttftP95Ms).toBe(500);
  });

  it('is one line that stands for itself where there is no table', () => {
    expect(renderLiveLine(liveRow({ openStreams: 2, requests: 12, ttftP50Ms: 640, hitRatio: 0.5, usd: 1 }))).toBe(
      'chat: 2 open, 0 queued, 12 done, TTFT p50 640 ms p95 –, hit 50%, 0 retries, $1.000 spent, $0.000 saved',
    );
  });
});

describe('the screen', () => {
  function output(size: Partial<Output>): Output & { text: string } {
    return {
      text: '',
      ...size,
      write(text) {
        this.text += text;
      },
    };
  }
  const BOLD = '\u001b[1m';
  const DIM = '\u001b[2m';

  it('writes no escape sequence where there is no terminal', () => {
    const pipe = output({});
    createScreen(pipe, {}).show([BIGGEST], 5_000);
    expect(pipe.text).toMatch(/^5 s {2}greedy: /);
    expect(pipe.text).not.toContain('\u001b');
  });

  it('redraws in place: up over the old lines, then line by line', () => {
    expect(redraw(0, ['a', 'b'])).toBe('a\u001b[K\nb\u001b[K\n');
    expect(redraw(2, ['c', 'd'])).toBe('\u001b[2A\rc\u001b[K\nd\u001b[K\n');
  });

  it('uses no colour with NO_COLOR, and still redraws', () => {
    const terminal = output({ isTTY: true, columns: 80, rows: 24 });
    const screen = createScreen(terminal, { NO_COLOR: '1' });
    screen.show([BIGGEST], 500);
    screen.show([BIGGEST], 1_000);
    expect(terminal.text).toContain('\u001b[3A\r');
    expect(terminal.text).not.toContain(BOLD);
    expect(terminal.text).not.toContain(DIM);
  });

  it('uses bold and dim on a terminal that says nothing', () => {
    const terminal = output({ isTTY: true, columns: 80, rows: 24 });
    createScreen(terminal, {}).show([BIGGEST], 500);
    expect(terminal.text).toContain(BOLD);
    expect(terminal.text).toContain(DIM);
  });

  it('never draws more lines than the terminal has', () => {
    const terminal = output({ isTTY: true, columns: 80, rows: 5 });
    createScreen(terminal, {}).show(
      Array.from({ length: 7 }, () => BIGGEST),
      500,
    );
    expect(terminal.text.split('\n').length - 1).toBe(4);
  });

  it('begins a new table when the width has changed, instead of drawing over a wrapped one', () => {
    const terminal = output({ isTTY: true, columns: 80, rows: 24 });
    const screen = createScreen(terminal, {});
    screen.show([BIGGEST], 500);
    Object.assign(terminal, { columns: 60, text: '' });
    screen.show([BIGGEST], 1_000);
    expect(terminal.text).not.toContain('\u001b[3A');
  });
});

describe('the summary', () => {
  const result: RunResult = {
    seconds: 8,
    tenants: [
      { tenant: 'chat', retries: 0, figures: { ...NO_FIGURES, answered: 1_200, left: 2 } },
      { tenant: 'rag', retries: 1, figures: { ...NO_FIGURES, answered: 34 } },
    ],
    failures: [],
  };

  it('tells answers that the end cut off from failures', () => {
    expect(renderSummary(result, 79).at(-1)).toBe(
      'No request failed: 1,234 were answered; 2 had no time to be answered to the end.',
    );
    expect(isClean(result)).toBe(true);
  });

  it('names what failed, and how much more', () => {
    const failures = Array.from({ length: 7 }, (_, index) => `chat: Error ${index}`);
    const lines = renderSummary({ ...result, failures }, 79);
    expect(isClean({ ...result, failures })).toBe(false);
    expect(lines.slice(-7)).toEqual([
      'Failures that should not have been: 7',
      ...failures.slice(0, 5).map((failure) => `  ${failure}`),
      '  and 2 more',
    ]);
  });

  it('fits on 80 columns', () => {
    const tokens = { uncachedInput: 9e8, cacheRead: 9e8, cacheWrite5m: 9e7, cacheWrite1h: 9e7, output: 9e7 };
    const figures = { ...NO_FIGURES, answered: 99_999, usd: 999, savedUsd: -999, tokens };
    const lines = renderSummary({ ...result, tenants: [{ tenant: 'greedy', retries: 99, figures }] }, 79);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});
