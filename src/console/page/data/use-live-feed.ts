import { useEffect, useState } from 'preact/hooks';
import { browserClock } from './browser-clock.ts';
import { startLiveFeed, type FeedState } from './live-feed.ts';
import { foldEvent, NOTHING_YET, type LiveState } from './live-state.ts';
import type { Session } from './session.ts';

/** The live feed for as long as the page is open; looking at the tab again wakes it. */
export function useLiveFeed({ api, onUnauthorized }: Session): {
  readonly state: LiveState;
  readonly connection: FeedState;
} {
  const [state, setState] = useState(NOTHING_YET);
  const [connection, setConnection] = useState<FeedState>({ kind: 'connecting' });
  useEffect(() => {
    const feed = startLiveFeed({
      clock: browserClock,
      open: api.open,
      onEvent: (type, data) => setState((known) => foldEvent(known, type, data, Date.now())),
      onState: (next) => {
        setConnection((known) => (known.kind === next.kind && known.kind === 'live' ? known : next));
        if (next.kind === 'unauthorized') onUnauthorized();
      },
    });
    const onVisible = (): void => {
      if (!document.hidden) feed.wake();
    };
    document.addEventListener('visibilitychange', onVisible);
    window.addEventListener('online', feed.wake);
    return () => {
      document.removeEventListener('visibilitychange', onVisible);
      window.removeEventListener('online', feed.wake);
      feed.stop();
    };
  }, [api, onUnauthorized]);
  return { state, connection };
}
