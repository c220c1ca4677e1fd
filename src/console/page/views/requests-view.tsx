import { useState } from 'preact/hooks';
import { useHold } from '../data/use-held.ts';
import { useRequests } from '../data/use-requests.ts';
import { Problem } from '../parts/notices.tsx';
import { Table } from '../parts/table.tsx';
import { queryOf, type RequestFilter } from '../route.ts';
import { formatCount } from '../words/numbers.ts';
import { RequestFilters } from './request-filters.tsx';
import { REQUEST_COLUMNS } from './request-columns.tsx';

/** What has ended, newest first. It stands still when it is asked to, and while somebody points at it. */
export function RequestsView({ filter }: { readonly filter: RequestFilter }) {
  return (
    <>
      <h1>Requests</h1>
      <RequestList key={queryOf(filter)} filter={filter} />
    </>
  );
}

function RequestList({ filter }: { readonly filter: RequestFilter }) {
  const [isPaused, setPaused] = useState(false);
  const { isHeld, handlers } = useHold();
  const { rows, newer, state, problem, showOlder, release } = useRequests(filter, isPaused || isHeld);
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <>
      <div class="toolbar">
        <RequestFilters filter={filter} rows={rows} />
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          Pause
        </button>
        <span class="soft">{newer > 0 ? `${formatCount(newer)} newer` : isPaused ? 'paused' : ''}</span>
        {newer > 0 && (
          <button type="button" onClick={release}>
            Show
          </button>
        )}
      </div>
      {problem !== null && <Problem>{problem}</Problem>}
      <section class="request-rows" {...handlers}>
        <Table
          caption="Requests that have ended, newest first"
          isCaptionHidden
          columns={REQUEST_COLUMNS}
          rows={rows}
          keyOf={(row) => row.id}
          rowClass={() => 'row-link'}
          empty={emptyWords(state === 'loading', isFiltered)}
        />
      </section>
      {rows.length > 0 && state === 'more' && (
        <p>
          <button type="button" onClick={showOlder}>
            Show older
          </button>
        </p>
      )}
    </>
  );
}

function emptyWords(isLoading: boolean, isFiltered: boolean) {
  if (isLoading) return 'Asking the gateway …';
  return isFiltered ? (
    <>
      None of the newest requests is like that. <a href="#/requests">Show all</a>
    </>
  ) : (
    <>
      No request has ended yet. Send one to <code>/v1/messages</code> through this gateway.
    </>
  );
}
