import type { SavingsReport, Snapshot } from '../../contract.ts';
import { FAULTS } from '../../request-query.ts';
import { completeBuckets, hitRatio, requestsPerMinute } from '../data/buckets.ts';
import { useLive } from '../data/session.ts';
import { usePolled } from '../data/use-polled.ts';
import { Figure, Figures } from '../parts/figures.tsx';
import { hrefOf } from '../route.ts';
import { formatCount, formatShare, formatUsd } from '../words/numbers.ts';
import { formatDuration, utcDay } from '../words/times.ts';

export function LiveFigures({ snapshot }: { readonly snapshot: Snapshot }) {
  const { buckets, bucketMs } = useLive();
  const { recent, live, liveCount, atMs } = snapshot;
  const complete = completeBuckets(buckets, bucketMs, atMs);
  const waiting = live.filter(({ phase }) => phase === 'queue' || phase === 'hold' || phase === 'pause').length;
  return (
    <Figures>
      <Figure
        name="Open requests"
        value={formatCount(liveCount)}
        note={waiting > 0 ? `${waiting} wait` : 'none waits'}
      />
      <Figure
        name="Requests a minute"
        value={formatCount(requestsPerMinute(complete, bucketMs, atMs))}
        note="ended in the last full minute"
      />
      <Figure name="Cache hit rate" value={formatShare(hitRatio(recent))} note="of input tokens, last 5 min" />
      <Figure
        name="Time to first token, median"
        value={formatDuration(recent.ttftP50Ms)}
        note={`p95 ${formatDuration(recent.ttftP95Ms)}, last 5 min`}
      />
      <SavedToday atMs={atMs} />
      <Errors recent={recent} />
    </Figures>
  );
}

function SavedToday({ atMs }: { readonly atMs: number }) {
  const polled = usePolled<SavingsReport>('savings?by=day', 10_000);
  const today = polled.kind === 'ok' ? polled.value.rows.find(({ name }) => name === utcDay(atMs)) : undefined;
  return (
    <Figure
      name="Saved today"
      value={formatUsd(polled.kind === 'ok' ? (today?.savedUsd ?? 0) : null)}
      note={today ? `paid ${formatUsd(today.costUsd)}, since 00:00 UTC` : 'by caching, since 00:00 UTC'}
    />
  );
}

function Errors({ recent }: Pick<Snapshot, 'recent'>) {
  const { faults } = recent;
  const errors = FAULTS.reduce((sum, fault) => sum + faults[fault], 0);
  const ours = faults.gateway + faults.upstream;
  const blamed = FAULTS.filter((fault) => faults[fault] > 0);
  return (
    <Figure
      name="Errors, last 5 min"
      value={formatCount(errors)}
      isAlarming={ours > 0}
      note={
        blamed.length === 0
          ? `of ${formatCount(recent.requests)} requests`
          : blamed.map((fault) => (
              <a key={fault} href={hrefOf({ view: 'requests', filter: { fault } })}>
                {fault} {formatCount(faults[fault])}
              </a>
            ))
      }
    />
  );
}
