import { useEffect, useState } from 'preact/hooks';
import { useSession } from './session.ts';

/**
 * What the API says, asked again and again while somebody looks. An answer stays until the next one is there, also when
 * asking fails: `problem` then says so, and the view shows both.
 */
export type Polled<Value> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly status: number | null; readonly because: string }
  | { readonly kind: 'ok'; readonly value: Value; readonly problem: string | null };

/**
 * @param everyMs null: once.
 * @param occasion asked at once again when this changes.
 */
export function usePolled<Value>(path: string, everyMs: number | null, occasion: unknown = null): Polled<Value> {
  const { api, onUnauthorized } = useSession();
  const [polled, setPolled] = useState<Polled<Value>>({ kind: 'loading' });
  useEffect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      if (!document.hidden) {
        const answer = await api.get<Value>(path, leaving.signal);
        if (leaving.signal.aborted) return;
        if (answer.kind === 'unauthorized') return onUnauthorized();
        setPolled((known) => {
          if (answer.kind === 'ok') return { kind: 'ok', value: answer.value, problem: null };
          return known.kind === 'ok' && answer.status !== 404 ? { ...known, problem: answer.because } : answer;
        });
      }
      if (everyMs !== null) timer = setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [api, path, everyMs, occasion, onUnauthorized]);
  return polled;
}
