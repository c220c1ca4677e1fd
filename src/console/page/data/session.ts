import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { ConsoleApi } from './api.ts';
import type { FeedState } from './live-feed.ts';
import { NOTHING_YET, type LiveState } from './live-state.ts';

/** What every view may ask for: the API behind the token, and what the live feed has brought so far. */
export interface Session {
  readonly api: ConsoleApi;
  /** The token is refused: back to the form. */
  readonly onUnauthorized: () => void;
}

export const SessionContext = createContext<Session | null>(null);
/** Two, so that what only asks whether the figures are fresh is not drawn anew with each of them. */
export const LiveContext = createContext<LiveState>(NOTHING_YET);
export const ConnectionContext = createContext<FeedState>({ kind: 'connecting' });

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('used outside of a session');
  return session;
}

export function useLive(): LiveState {
  return useContext(LiveContext);
}

export function useConnection(): FeedState {
  return useContext(ConnectionContext);
}

/** The gateway's time of day in ms, once a second. */
export function useGatewayNow(): number {
  const { aheadMs } = useLive();
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return nowMs + aheadMs;
}
