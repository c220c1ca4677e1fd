import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TimelineStep } from '../../src/console/contract.ts';
import { createConsoleUnderTest } from './console-under-test.ts';

const page = readFileSync(new URL('../../docs/console.md', import.meta.url), 'utf8');

/** The first cells of a table's rows, the table being the one under a head that begins so. */
function firstCells(head: string): string[] {
  const lines = page.split('\n');
  const at = lines.findIndex((line) => line.startsWith(`| ${head} `));
  const rows = lines.slice(at + 2, lines.indexOf('', at));
  return rows.map((row) => /`([^`]+)`/.exec(row)?.[1] ?? row);
}

describe('docs/console.md', () => {
  it('lists the paths that the API answers, and no others', async () => {
    const { ask } = createConsoleUnderTest();
    const { error } = (await (await ask('/api/nothing')).json()) as { error: string };
    expect(error.match(/\/console\/api\/[^ ,]+(?=[,.] ?)/g)?.map((path) => path.replace(/\.$/, ''))).toEqual(
      firstCells('path'),
    );
  });

  it('explains every step of a timeline', () => {
    const kinds = { gateway: 0, queue: 0, hold: 0, pause: 0, call: 0, stream: 0 } satisfies Record<
      TimelineStep['kind'],
      number
    >;
    expect(firstCells('step')).toEqual(Object.keys(kinds));
  });
});
