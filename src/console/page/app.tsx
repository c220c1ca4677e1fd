import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { createConsoleApi } from './data/api.ts';
import { ConnectionContext, LiveContext, SessionContext, type Session } from './data/session.ts';
import { forgetToken, keepToken, readToken } from './data/session-token.ts';
import { useLiveFeed } from './data/use-live-feed.ts';
import { Frame } from './parts/frame.tsx';
import { TokenForm } from './parts/token-form.tsx';

/** The console: behind its token everything, without it a form. A token that is refused is forgotten. */
export function App() {
  const [token, setToken] = useState(readToken);
  const [wasRefused, setRefused] = useState(false);
  const onUnauthorized = useCallback(() => {
    forgetToken();
    setRefused(true);
    setToken(null);
  }, []);
  useEffect(() => {
    const onHash = (): void => setToken((known) => readToken() ?? known); // a link with a token, on a page that is open
    window.addEventListener('hashchange', onHash);
    return () => window.removeEventListener('hashchange', onHash);
  }, []);
  const onToken = (given: string): void => {
    keepToken(given);
    setToken(given);
  };
  if (token === null) return <TokenForm wasRefused={wasRefused} onToken={onToken} />;
  return <Inside key={token} token={token} onUnauthorized={onUnauthorized} />;
}

interface InsideProps {
  readonly token: string;
  readonly onUnauthorized: () => void;
}

function Inside({ token, onUnauthorized }: InsideProps) {
  const session = useMemo(() => ({ api: createConsoleApi(token), onUnauthorized }), [token, onUnauthorized]);
  return (
    <SessionContext.Provider value={session}>
      <LiveProvider session={session}>
        <Frame />
      </LiveProvider>
    </SessionContext.Provider>
  );
}

/** Drawn anew with every event; its children are not, unless they ask for what came. */
function LiveProvider({ session, children }: { readonly session: Session; readonly children: ComponentChildren }) {
  const { state, connection } = useLiveFeed(session);
  return (
    <ConnectionContext.Provider value={connection}>
      <LiveContext.Provider value={state}>{children}</LiveContext.Provider>
    </ConnectionContext.Provider>
  );
}
