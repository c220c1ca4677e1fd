import type { RequestRow } from '../../contract.ts';
import { CacheTag } from '../parts/cache-tag.tsx';
import type { Column } from '../parts/table.tsx';
import { hrefOf } from '../route.ts';
import { formatCount, formatTokens, formatUsd, UNKNOWN } from '../words/numbers.ts';
import { formatClock, formatDuration, formatInstant } from '../words/times.ts';

export const REQUEST_COLUMNS: readonly Column<RequestRow>[] = [
  {
    head: 'Received',
    cell: ({ id, receivedAtMs }) => (
      <a href={hrefOf({ view: 'story', id })} title={`${formatInstant(receivedAtMs)} · ${id}`}>
        {formatClock(receivedAtMs)}
      </a>
    ),
  },
  { head: 'Tenant', cell: ({ tenant }) => tenant },
  { head: 'Model', cell: ({ model }) => model ?? UNKNOWN },
  { head: 'Answer', cell: (row) => <Ending {...row} /> },
  {
    head: 'Cache',
    cell: ({ cache, cacheReason }) => (
      <>
        <CacheTag result={cache} />
        {cacheReason !== null && <span class="soft reason"> {cacheReason.replaceAll('_', ' ')}</span>}
      </>
    ),
  },
  {
    head: 'First token',
    hint: 'From the last byte of the request to the first content.',
    isNumber: true,
    cell: ({ ttftMs }) => formatDuration(ttftMs),
  },
  { head: 'Took', isNumber: true, cell: ({ durationMs }) => formatDuration(durationMs) },
  {
    head: 'Input',
    hint: 'Tokens',
    isNumber: true,
    isDetail: true,
    cell: ({ inputTokens }) => formatTokens(inputTokens),
  },
  {
    head: 'Output',
    hint: 'Tokens',
    isNumber: true,
    isDetail: true,
    cell: ({ outputTokens }) => formatTokens(outputTokens),
  },
  { head: 'Cost', isNumber: true, cell: ({ costUsd }) => formatUsd(costUsd, 5) },
  {
    head: 'Saved',
    hint: 'Against the same request without any caching; negative where writing cost more than reading saved.',
    isNumber: true,
    cell: ({ savedUsd }) => formatUsd(savedUsd, 5),
  },
  { head: 'Calls', isNumber: true, isDetail: true, cell: ({ attempts }) => formatCount(attempts) },
];

/** `200`, or how it ended otherwise, and who has to look into it. */
function Ending({ status, end, fault }: RequestRow) {
  return (
    <>
      {status}
      {end !== 'complete' && ` ${end.replaceAll('_', ' ')}`}
      {fault !== null && <span class="fault"> {fault}</span>}
    </>
  );
}
