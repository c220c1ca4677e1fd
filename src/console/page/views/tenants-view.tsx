import type { TenantStanding } from '../../contract.ts';
import { useLive } from '../data/session.ts';
import { Bar } from '../parts/bar.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { hrefOf } from '../route.ts';
import { formatCount, formatShare, formatUsd, usdDecimals } from '../words/numbers.ts';
import { formatDuration } from '../words/times.ts';

/** Who has how much of the gateway, who waits, and what they spend. */
export function TenantsView() {
  const { snapshot } = useLive();
  if (!snapshot) return <p class="empty">Waiting for the first figures …</p>;
  const dearest = Math.max(
    0,
    ...snapshot.tenants.map(({ costUsd, savedUsd }) => Math.max(costUsd, Math.abs(savedUsd))),
  );
  return (
    <>
      <h1>Tenants</h1>
      <p class="lead">
        Slots and queues are as of now, rates and waits of the last five minutes, money is since the gateway started.
      </p>
      <Table
        caption="Tenants"
        isCaptionHidden
        columns={columnsFor(usdDecimals(dearest))}
        rows={snapshot.tenants}
        keyOf={({ id }) => id}
        empty="No tenant yet. Name one in the settings (tenants), or send a request with a key of your own."
      />
    </>
  );
}

function columnsFor(decimals: number): readonly Column<TenantStanding>[] {
  return [
    { head: 'Tenant', cell: ({ id }) => <a href={hrefOf({ view: 'requests', filter: { tenant: id } })}>{id}</a> },
    {
      head: 'Slots',
      hint: 'Held now, of those it may hold.',
      isNumber: true,
      cell: ({ inUse, limit }) => (
        <span class="with-bar">
          {formatCount(inUse)} of {formatCount(limit)} <Bar value={inUse} of={limit} />
        </span>
      ),
    },
    {
      head: 'Waiting',
      hint: 'Requests in its queue now.',
      isNumber: true,
      cell: ({ waiting }) => formatCount(waiting),
    },
    { head: 'Wait p95', hint: 'For a slot.', isNumber: true, cell: ({ queueP95Ms }) => formatDuration(queueP95Ms) },
    {
      head: 'Share',
      hint: "Of all tenants' input tokens.",
      isNumber: true,
      cell: ({ share }) => (
        <span class="with-bar">
          {formatShare(share)} <Bar value={share} of={1} />
        </span>
      ),
    },
    { head: 'Weight', hint: 'Of a contended upstream.', isNumber: true, cell: ({ weight }) => weight },
    { head: 'Requests', isNumber: true, cell: ({ requests }) => formatCount(requests) },
    {
      head: 'Errors',
      isNumber: true,
      cell: ({ errors }) => <span class={errors > 0 ? 'fault' : ''}>{formatCount(errors)}</span>,
    },
    { head: 'Hit rate', isNumber: true, cell: ({ hitRatio }) => formatShare(hitRatio) },
    {
      head: 'TTFT p95',
      hint: 'Time to first token.',
      isNumber: true,
      cell: ({ ttftP95Ms }) => formatDuration(ttftP95Ms),
    },
    { head: 'Cost', isNumber: true, cell: ({ costUsd }) => formatUsd(costUsd, decimals) },
    { head: 'Saved', isNumber: true, cell: ({ savedUsd }) => formatUsd(savedUsd, decimals) },
    { head: 'Budget', isNumber: true, cell: ({ budget }) => <Budget budget={budget} /> },
  ];
}

function Budget({ budget }: Pick<TenantStanding, 'budget'>) {
  if (!budget) return <span class="soft">none</span>;
  return (
    <span class="with-bar">
      {formatUsd(budget.spentUsd, 2)} of {formatUsd(budget.usd, 2)} a {budget.per}{' '}
      <Bar value={budget.spentUsd} of={budget.usd} />
    </span>
  );
}
