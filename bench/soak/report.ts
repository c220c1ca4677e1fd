// What a soak says: a line while it runs, and at the end the tenants, what nobody can know, and the checks.

import { renderTable, formatCount, type Column } from '../../src/node/demo/table.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Books, TenantBooks } from './account.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Load } from './load.ts';
import type { SoakResult } from './soak.ts';
import { addTokens, noTokens, type Tokens } from './tokens.ts';

export interface Progress {
  readonly atSeconds: number;
  readonly seconds: number;
  readonly load: Load;
  readonly simulator: Simulator;
  readonly checkpoints: readonly Checkpoint[];
}

export function progressLine({ atSeconds, seconds, load, simulator, checkpoints }: Progress): string {
  const heap = checkpoints.map(({ memory }) => (memory.heapBytes / 1e6).toFixed(1)).slice(-3);
  const { openStreams } = simulator.observations;
  return [
    `${atSeconds.toFixed(0).padStart(4)} of ${seconds.toFixed(0)} s`,
    `${formatCount(load.asked)} requests (${(load.asked / atSeconds).toFixed(0)}/s)`,
    `${load.underWay} under way, ${openStreams} streams upstream`,
    `heap at rest ${heap.length === 0 ? 'not yet measured' : `${heap.join(' → ')} MB`}`,
  ].join(' · ');
}

interface Row {
  readonly name: string;
  readonly tenant: TenantBooks;
}

const WIDTH = 140;

const COLUMNS: readonly Column<Row>[] = [
  { head: 'tenant', align: 'left', rank: 0, cell: ({ name }) => name },
  number('requests', ({ requests }) => requests),
  number('200', ({ statuses }) => statuses.get('200') ?? 0),
  { head: 'other statuses', align: 'left', rank: 1, cell: ({ tenant }) => otherStatuses(tenant) },
  number('streams', ({ streams }) => [...streams.values()].reduce((sum, of) => sum + of, 0)),
  number('left', ({ streams, unseenStatus }) => (streams.get('left') ?? 0) + unseenStatus),
  number('failed', ({ streams }) => (streams.get('broken') ?? 0) + (streams.get('error_event') ?? 0)),
  tokens('uncached', ({ uncached }) => uncached),
  tokens('read', ({ cache_read }) => cache_read),
  tokens('write 5m', ({ cache_write_5m }) => cache_write_5m),
  tokens('write 1h', ({ cache_write_1h }) => cache_write_1h),
  tokens('output', ({ output }) => output),
];

function number(head: string, read: (tenant: TenantBooks) => number): Column<Row> {
  return { head, align: 'right', rank: 1, cell: ({ tenant }) => formatCount(read(tenant)) };
}

function tokens(head: string, read: (tokens: Tokens) => number): Column<Row> {
  return number(head, ({ models }) => {
    const billed = noTokens();
    for (const model of models.values()) addTokens(billed, model.billed);
    return read(billed);
  });
}

function otherStatuses({ statuses }: TenantBooks): string {
  const others = [...statuses]
    .filter(([status]) => status !== '200')
    .sort(([one], [other]) => Number(one) - Number(other));
  return others.map(([status, of]) => `${status}×${of}`).join(' ');
}

export function renderReport(result: SoakResult): string {
  const { books, checks, seconds, isInterrupted } = result;
  const failed = checks.filter(({ holds }) => !holds).length;
  return [
    `Soak of ${seconds.toFixed(0)} s${isInterrupted ? ' (interrupted)' : ''}; tokens as the simulator billed them`,
    '',
    ...renderTable(
      COLUMNS,
      [...books.tenants].map(([name, tenant]) => ({ name, tenant })),
      WIDTH,
    ),
    '',
    `${formatCount(books.calls)} calls upstream, ${formatCount(books.faulted)} of them ended by a fault`,
    ...unknownLines(books),
    '',
    ...checks.map(
      ({ name, holds, figures }) => `${holds ? 'ok  ' : 'FAIL'} ${name}${figures === '' ? '' : `: ${figures}`}`,
    ),
    '',
    failed === 0 ? 'Everything holds.' : `${failed} of ${checks.length} checks failed.`,
  ].join('\n');
}

const UNKNOWN_TEXTS = {
  broken_stream: 'streams broke before message_delta: their input is compared, of their output one token is known',
  cancelled_stream: 'streams were cancelled with their caller: input compared, output between one token and all',
  broken_json: 'JSON answers broke: billed, and no client can know of it',
  left_unseen: 'callers left before they had seen anything: from nothing to all of it',
  known: '',
};

function unknownLines({ unknowns }: Books): string[] {
  return [...unknowns].map(([knowledge, { calls, billed }]) => {
    const input = billed.uncached + billed.cache_read + billed.cache_write_5m + billed.cache_write_1h;
    const bill = `billed ${formatCount(input)} input, ${formatCount(billed.output)} output`;
    return `${formatCount(calls)} ${UNKNOWN_TEXTS[knowledge]} (${bill})`;
  });
}
