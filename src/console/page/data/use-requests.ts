import { useEffect, useRef, useState } from 'preact/hooks';
import type { RequestRow } from '../../contract.ts';
import { queryOf, type RequestFilter } from '../route.ts';
import { mergeRequests, newerThan, withNewest, type Newer } from './request-rows.ts';
import { useSession } from './session.ts';
import { usePolled } from './use-polled.ts';

/** The requests that a list shows: the newest pages as they come, older ones when asked for; still while it is held. */
export interface RequestsShown {
  readonly rows: readonly RequestRow[];
  /** That have come since it is held. */
  readonly newer: Newer;
  readonly state: 'loading' | 'more' | 'all';
  readonly problem: string | null;
  readonly showOlder: () => void;
  /** Shows what is newer, once, although it is held. */
  readonly release: () => void;
}

interface Page {
  readonly requests: readonly RequestRow[];
}

const NONE_NEWER: Newer = { count: 0, isAtLeast: false };
const PAGE_ROWS = 100;
const POLL_MS = 2000;

/** @param pace `still`: nothing is asked for, and nothing moves. */
export function useRequests(filter: RequestFilter, pace: 'moving' | 'held' | 'still'): RequestsShown {
  const { api } = useSession();
  const path = `requests${queryOf(filter, { limit: String(PAGE_ROWS) })}`;
  const polled = usePolled<Page>(path, pace === 'still' ? null : POLL_MS);
  const [known, setKnown] = useState<readonly RequestRow[]>([]);
  const [state, setState] = useState<RequestsShown['state']>('loading');
  const [olderProblem, setOlderProblem] = useState<string | null>(null);
  const [length, setLength] = useState(PAGE_ROWS);
  const shown = useRef<readonly RequestRow[]>([]);
  const page = polled.kind === 'ok' ? polled.value.requests : null;
  const isStill = pace === 'still';
  useEffect(() => {
    if (!page || isStill) return;
    const next = withNewest(page, known);
    setKnown(next);
    if (next !== page) return;
    setLength(PAGE_ROWS);
    setState(page.length < PAGE_ROWS ? 'all' : 'more');
  }, [page, isStill]);

  const showOlder = async (): Promise<void> => {
    const before = shown.current.at(-1)?.id ?? '';
    const behind = `requests${queryOf(filter, { limit: String(PAGE_ROWS), before })}`;
    const answer = await api.get<Page>(behind, new AbortController().signal);
    setOlderProblem(answer.kind === 'failed' ? answer.because : null);
    if (answer.kind !== 'ok') return;
    const older = answer.value.requests;
    if (older.length < PAGE_ROWS) setState('all');
    shown.current = mergeRequests(shown.current, older);
    setKnown((newest) => withNewest(newest, shown.current)); // it may have begun again meanwhile
    setLength(length + older.length);
  };

  const isMoving = pace === 'moving';
  const newer = isMoving ? NONE_NEWER : newerThan(shown.current, known);
  if (isMoving || shown.current.length === 0) shown.current = known.slice(0, length);
  const [, redraw] = useState(0);
  const release = (): void => {
    shown.current = known.slice(0, length);
    redraw((count) => count + 1);
  };
  const problem = polled.kind === 'failed' ? polled.because : polled.kind === 'ok' ? polled.problem : null;
  return {
    rows: shown.current,
    newer,
    state,
    problem: problem ?? olderProblem,
    showOlder: () => void showOlder(),
    release,
  };
}
