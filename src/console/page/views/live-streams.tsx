import type { LiveExchange } from '../../contract.ts';
import type { HeldRow } from '../data/held-rows.ts';
import { tokensPerSecond } from '../data/stream-rate.ts';
import { useHeldRows, useHold } from '../data/use-held.ts';
import { CacheTag } from '../parts/cache-tag.tsx';
import { RequestLink } from '../parts/request-link.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { PHASES } from '../words/exchange-words.ts';
import { formatCount, formatTokenRate, formatTokens, UNKNOWN } from '../words/numbers.ts';
import { formatAge, formatDuration } from '../words/times.ts';

/** Requests on their way, the longest running first. The list stands still under a pointer or the focus. */
export interface LiveStreamsProps {
  readonly live: readonly LiveExchange[];
  readonly liveCount: number;
  readonly atMs: number;
}

export function LiveStreams({ live, liveCount, atMs }: LiveStreamsProps) {
  const { isHeld, handlers } = useHold();
  const rows = useHeldRows(live, isHeld);
  const more = liveCount - live.length;
  return (
    <section class="open-requests" {...handlers}>
      <h2>
        Open requests <span class="soft">{isHeld ? 'what ends stays while you are here' : 'the longest first'}</span>
      </h2>
      <Table
        caption="Open requests"
        isCaptionHidden
        columns={columnsAt(atMs)}
        rows={rows}
        keyOf={({ row }) => row.id}
        rowClass={({ isGone }) => (isGone ? 'gone' : '')}
        empty={
          <>
            Nothing is on its way. Send a request to <code>/v1/messages</code>, and it appears here.
          </>
        }
      />
      {more > 0 && <p class="soft">and {formatCount(more)} more</p>}
    </section>
  );
}

function columnsAt(atMs: number): readonly Column<HeldRow<LiveExchange>>[] {
  return [
    { head: 'Request', cell: ({ row }) => <RequestLink id={row.id} /> },
    { head: 'Age', isNumber: true, cell: ({ row, isGone }) => (isGone ? 'ended' : formatAge(atMs - row.startedAtMs)) },
    { head: 'Tenant', cell: ({ row }) => row.tenant },
    { head: 'Model', cell: ({ row }) => row.model ?? UNKNOWN },
    { head: 'Now', cell: ({ row, isGone }) => (isGone ? 'ended' : PHASES[row.phase]) },
    { head: 'Cache', cell: ({ row }) => <CacheTag result={row.cache} /> },
    { head: 'First token', isNumber: true, cell: ({ row }) => formatDuration(row.ttftMs) },
    {
      head: 'Output',
      hint: 'Estimated from what has passed; exact when it is over.',
      isNumber: true,
      cell: ({ row }) => (row.phase === 'streaming' ? `≈ ${formatTokens(row.outputTokensEstimate)}` : UNKNOWN),
    },
    {
      head: 'Speed',
      hint: 'Output tokens a second since the first, estimated.',
      isNumber: true,
      cell: ({ row }) => formatTokenRate(tokensPerSecond(row, atMs)),
    },
    { head: 'Upstream', cell: ({ row }) => row.upstream ?? UNKNOWN },
    { head: 'Calls', isNumber: true, isDetail: true, cell: ({ row }) => formatCount(row.attempts) },
  ];
}
