import { useEffect, useState } from 'preact/hooks';
import type { FeedState } from '../data/live-feed.ts';
import { useConnection } from '../data/session.ts';
import { formatAge } from '../words/times.ts';

/** Whether the figures are fresh. Only a change of that is announced, not every second of it. */
export function ConnectionState() {
  const connection = useConnection();
  return (
    <p class={`connection ${connection.kind}`}>
      <span role="status">{nameOf(connection)}</span>
      {connection.kind === 'lost' && <Since sinceMs={connection.sinceMs} />}
    </p>
  );
}

function nameOf({ kind }: FeedState): string {
  if (kind === 'live') return 'Live';
  return kind === 'lost' ? 'Not connected' : 'Connecting …';
}

function Since({ sinceMs }: { readonly sinceMs: number }) {
  const [nowMs, setNowMs] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span> since {formatAge(nowMs - sinceMs)}</span>;
}
