import type { Snapshot } from '../../contract.ts';
import { useLive } from '../data/session.ts';
import { LiveCharts } from './live-charts.tsx';
import { LiveFigures } from './live-figures.tsx';
import { LiveStreams } from './live-streams.tsx';
import { formatInstant } from '../words/times.ts';

/** The overview: what goes on now, how the last half hour went, and which requests are on their way. */
export function LiveView() {
  const { snapshot } = useLive();
  if (!snapshot) return <p class="empty">Waiting for the first figures …</p>;
  return (
    <>
      <h1 class="unseen">Live</h1>
      <LiveFigures snapshot={snapshot} />
      <LiveCharts />
      <LiveStreams live={snapshot.live} liveCount={snapshot.liveCount} atMs={snapshot.atMs} />
      <p class="soft scope">{scopeOf(snapshot)}</p>
    </>
  );
}

function scopeOf({ gateway }: Snapshot): string {
  const what = gateway.scope === 'process' ? 'this process' : 'all isolates of this Worker as of their last report';
  const mode = gateway.mode === 'managed' ? 'Managed mode' : "Pass-through mode: callers' own keys";
  return `Figures are of ${what} since ${formatInstant(gateway.sinceAtMs)}. ${mode}.`;
}
