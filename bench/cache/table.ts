import type { Summary } from './summary.ts';

/** A table as people read it; the JSON has every digit. */
export function renderTable(rows: readonly Summary[], width = 34): string {
  const head = ['policy', 'cost', '× bound', 'hits', 'write 5m', 'write 1h', 'TTFT', 'held', 'plan'];
  const lines = rows.map((row) => [
    row.policy,
    row.cost.toFixed(4),
    row.overBound.toFixed(2),
    `${(row.hitRate * 100).toFixed(1)} %`,
    millions(row.write5mTokens),
    millions(row.write1hTokens),
    `${(row.meanTtftMs / 1000).toFixed(3)} s`,
    String(row.heldRequests),
    row.planMicroseconds === null ? '' : `${row.planMicroseconds.toFixed(0)} µs`,
  ]);
  return [head, ...lines]
    .map((cells) => cells.map((cell, at) => (at === 0 ? cell.padEnd(width) : cell.padStart(9))).join(' '))
    .join('\n');
}

function millions(tokens: number): string {
  return `${(tokens / 1e6).toFixed(2)} M`;
}
