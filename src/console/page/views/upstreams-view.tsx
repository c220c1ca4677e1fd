import type { Quota, UpstreamStanding } from '../../contract.ts';
import { useLive } from '../data/session.ts';
import { Bar } from '../parts/bar.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { BREAKERS, OUTCOMES, wordsFor } from '../words/exchange-words.ts';
import { formatCount, formatShare, formatTokens } from '../words/numbers.ts';

/** How each upstream fares: what it lets through, what it says is left, how calls to it end. */
export function UpstreamsView() {
  const { snapshot } = useLive();
  if (!snapshot) return <p class="empty">Waiting for the first figures …</p>;
  return (
    <>
      <h1>Upstreams</h1>
      <p class="lead">
        The line on a bar is the limit that the gateway has learned: it falls with 429, 529 and slow answers, and rises
        again up to what the settings allow.
      </p>
      <div class="upstreams">
        {snapshot.upstreams.map((upstream) => (
          <Upstream key={upstream.id} upstream={upstream} />
        ))}
      </div>
      {snapshot.upstreams.length === 0 && <p class="empty">There is none: name one in the settings (upstreams).</p>}
    </>
  );
}

function Upstream({ upstream }: { readonly upstream: UpstreamStanding }) {
  const { id, cacheDomain, inUse, limit, ceiling, waiting, breaker } = upstream;
  const { name, meaning } = BREAKERS[breaker];
  return (
    <section class="upstream" aria-label={id}>
      <h2>
        {id} <span class="soft">cache domain {cacheDomain}</span>
      </h2>
      <p>
        <b class={breaker === 'closed' ? 'good' : 'fault'}>{name}</b> <span class="soft">{meaning}</span>
      </p>
      <p class="capacity">
        <span>
          <b>{formatCount(inUse)}</b> in use, limit <b>{formatCount(limit)}</b> of at most {formatCount(ceiling)}
          {waiting > 0 && `, ${formatCount(waiting)} wait`}
        </span>
        <Bar value={inUse} of={ceiling} mark={limit} />
      </p>
      <Attempts attempts={upstream.attempts} />
      <Quotas quotas={upstream.quotas} />
    </section>
  );
}

function Attempts({ attempts }: Pick<UpstreamStanding, 'attempts'>) {
  const all = Object.values(attempts).reduce((sum, count) => sum + count, 0);
  const rows = Object.entries(attempts)
    .filter(([, count]) => count > 0)
    .toSorted(([, one], [, other]) => other - one);
  return (
    <Table
      caption="Calls of the last five minutes"
      isSmall
      columns={[
        { head: 'Outcome', cell: ([outcome]) => wordsFor(OUTCOMES, outcome) },
        { head: 'Calls', isNumber: true, cell: ([, count]) => formatCount(count) },
        { head: 'Share', isNumber: true, cell: ([, count]) => formatShare(count / all) },
      ]}
      rows={rows}
      keyOf={([outcome]) => outcome}
      empty="None."
    />
  );
}

function Quotas({ quotas }: Pick<UpstreamStanding, 'quotas'>) {
  return (
    <Table
      caption="Rate limits, a minute"
      isSmall
      columns={QUOTA_COLUMNS}
      rows={quotas}
      keyOf={({ modelClass, kind }) => `${modelClass} ${kind}`}
      empty="No answer has said what is left."
    />
  );
}

const QUOTA_COLUMNS: readonly Column<Quota>[] = [
  { head: 'Models', cell: ({ modelClass }) => modelClass },
  { head: 'Of', cell: ({ kind }) => kind.replaceAll('_', ' ') },
  {
    head: 'Left',
    isNumber: true,
    cell: ({ remaining, limit }) => (
      <span class="with-bar">
        {formatTokens(remaining)}
        {limit !== null && ` of ${formatTokens(limit)}`}
        {limit !== null && <Bar value={remaining} of={limit} />}
      </span>
    ),
  },
];
