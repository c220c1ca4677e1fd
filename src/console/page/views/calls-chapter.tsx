import type { CallView } from '../../contract.ts';
import { Table, type Column } from '../parts/table.tsx';
import { OUTCOMES, wordsFor } from '../words/exchange-words.ts';
import { UNKNOWN } from '../words/numbers.ts';
import { formatExactMs } from '../words/times.ts';

type NumberedCall = CallView & { readonly number: number };

/** Every call that was made to an upstream for one request. */
export function CallsChapter({ calls }: { readonly calls: readonly CallView[] }) {
  return (
    <section aria-labelledby="calls">
      <h2 id="calls">Calls to upstreams</h2>
      <Table
        caption="Calls to upstreams, in order"
        isCaptionHidden
        columns={COLUMNS}
        rows={calls.map((call, at) => ({ ...call, number: at + 1 }))}
        keyOf={({ number }) => String(number)}
        empty="None was made: it was over before."
      />
    </section>
  );
}

const COLUMNS: readonly Column<NumberedCall>[] = [
  { head: 'Call', cell: ({ number }) => number },
  { head: 'Upstream', cell: ({ upstream }) => upstream },
  { head: 'Outcome', cell: ({ outcome }) => wordsFor(OUTCOMES, outcome) },
  { head: 'Status', isNumber: true, cell: ({ status }) => status ?? UNKNOWN },
  { head: 'Sent at', isNumber: true, cell: ({ atMs }) => formatExactMs(atMs) },
  { head: 'Took', isNumber: true, cell: ({ durationMs }) => formatExactMs(durationMs) },
];
