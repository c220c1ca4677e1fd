import { useState } from 'preact/hooks';
import type { Newer } from '../data/request-rows.ts';
import { useHold } from '../data/use-held.ts';
import { useRequests } from '../data/use-requests.ts';
import { Problem } from '../parts/notices.tsx';
import { Table } from '../parts/table.tsx';
import { queryOf, type RequestFilter } from '../route.ts';
import { formatCount } from '../words/numbers.ts';
import { RequestFilters } from './request-filters.tsx';
import { REQUEST_COLUMNS } from './request-columns.tsx';

/** What has ended, newest first. It stands still when it is asked to, and while somebody points at it. */
export interface RequestsViewProps {
  readonly filter: RequestFilter;
  /** It waits, out of sight and as it is, for somebody who reads one of its stories. */
  readonly isWaiting: boolean;
}

export function RequestsView({ filter, isWaiting }: RequestsViewProps) {
  return (
    <div hidden={isWaiting}>
      <h1>Requests</h1>
      <RequestList key={queryOf(filter)} filter={filter} isWaiting={isWaiting} />
    </div>
  );
}

function RequestList({ filter, isWaiting }: RequestsViewProps) {
  const [isPaused, setPaused] = useState(false);
  const { isHeld, handlers } = useHold();
  const pace = isWaiting ? 'still' : isPaused || isHeld ? 'held' : 'moving';
  const { rows, newer, state, problem, showOlder, release } = useRequests(filter, pace);
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <>
      <div class="toolbar">
        <RequestFilters filter={filter} rows={rows} />
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          Pause
        </button>
        <span class="soft">{newer.count > 0 ? newerWords(newer) : isPaused ? 'paused' : ''}</span>
        {newer.count > 0 && (
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

function newerWords({ count, isAtLeast }: Newer): string {
  return `${formatCount(count)}${isAtLeast ? ' or more' : ''} newer`;
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
