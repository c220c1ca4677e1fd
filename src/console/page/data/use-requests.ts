import { useEffect, useRef, useState } from 'preact/hooks';
import type { RequestRow } from '../../contract.ts';
import { queryOf, type RequestFilter } from '../route.ts';
import { mergeRequests, newerThan } from './request-rows.ts';
import { useSession } from './session.ts';
import { usePolled } from './use-polled.ts';

/** The requests that a list shows: the newest pages as they come, older ones when asked for; still while it is held. */
export interface RequestsShown {
  readonly rows: readonly RequestRow[];
  /** That have come since it is held. */
  readonly newer: number;
  readonly state: 'loading' | 'more' | 'all';
  readonly problem: string | null;
  readonly showOlder: () => void;
  /** Shows what is newer, once, although it is held. */
  readonly release: () => void;
}

interface Page {
  readonly requests: readonly RequestRow[];
}

const PAGE_ROWS = 100;
const POLL_MS = 2000;

export function useRequests(filter: RequestFilter, isHeld: boolean): RequestsShown {
  const { api } = useSession();
  const polled = usePolled<Page>(`requests${queryOf(filter, { limit: String(PAGE_ROWS) })}`, POLL_MS);
  const [known, setKnown] = useState<readonly RequestRow[]>([]);
  const [state, setState] = useState<RequestsShown['state']>('loading');
  const [olderProblem, setOlderProblem] = useState<string | null>(null);
  const [length, setLength] = useState(PAGE_ROWS);
  const shown = useRef<readonly RequestRow[]>([]);
  const page = polled.kind === 'ok' ? polled.value.requests : null;
  useEffect(() => {
    if (!page) return;
    setKnown((before) => mergeRequests(page, before));
    setState((before) => (before === 'loading' ? (page.length < PAGE_ROWS ? 'all' : 'more') : before));
  }, [page]);

  const showOlder = async (): Promise<void> => {
    const before = shown.current.at(-1)?.id ?? '';
    const path = `requests${queryOf(filter, { limit: String(PAGE_ROWS), before })}`;
    const answer = await api.get<Page>(path, new AbortController().signal);
    setOlderProblem(answer.kind === 'failed' ? answer.because : null);
    if (answer.kind !== 'ok') return;
    const older = answer.value.requests;
    if (older.length < PAGE_ROWS) setState('all');
    shown.current = mergeRequests(shown.current, older);
    setKnown((newer) => mergeRequests(newer, older));
    setLength(length + older.length);
  };

  const newer = isHeld ? newerThan(shown.current, known) : 0;
  if (!isHeld || shown.current.length === 0) shown.current = known.slice(0, length);
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
