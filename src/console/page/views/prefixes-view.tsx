import { useState } from 'preact/hooks';
import type { PrefixForest, PrefixTree } from '../../contract.ts';
import { longestTokens, prefixRows, type PrefixRow } from '../data/prefix-rows.ts';
import { useGatewayNow } from '../data/session.ts';
import { usePolled } from '../data/use-polled.ts';
import { PolledView } from '../parts/notices.tsx';
import { Table } from '../parts/table.tsx';
import { prefixColumns } from './prefix-columns.tsx';
import { VolatileAdviceList } from './volatile-advice.tsx';
import { formatCount, formatTokens } from '../words/numbers.ts';

/** Which prefixes requests share: by whom, how long, warm until when, what they cost and save. */
export function PrefixesView() {
  const polled = usePolled<PrefixForest>('prefixes', 3000);
  const nowMs = useGatewayNow();
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string): void => {
    const next = new Set(toggled);
    if (!next.delete(id)) next.add(id);
    setToggled(next);
  };
  return (
    <>
      <h1>Prefixes</h1>
      <p class="lead">
        What different requests begin with is paid for once and read by those that follow. A prefix stands on the one
        above it; the strong part of its bar is its own.
      </p>
      <VolatileAdviceList />
      <PolledView polled={polled}>
        {(forest) => (
          <>
            {forest.trees.map((tree) => (
              <Tree key={`${tree.domain}\n${tree.model}`} tree={tree} nowMs={nowMs} toggled={toggled} toggle={toggle} />
            ))}
            {forest.trees.length === 0 && (
              <p class="empty">
                No prefix is shared yet. When two requests begin alike and are long enough to be cached, it appears
                here.
              </p>
            )}
            <p class="soft">
              {forest.hiddenNodes > 0 &&
                `${formatCount(forest.hiddenNodes)} more prefixes of less worth are not shown. `}
              {formatTokens(forest.elsewhere.readTokens)} tokens were read and{' '}
              {formatTokens(forest.elsewhere.writeTokens)} written behind what is shown: in single conversations,
              mostly.
            </p>
          </>
        )}
      </PolledView>
    </>
  );
}

interface TreeProps {
  readonly tree: PrefixTree;
  readonly nowMs: number;
  readonly toggled: ReadonlySet<string>;
  readonly toggle: (id: string) => void;
}

function Tree({ tree, nowMs, toggled, toggle }: TreeProps) {
  return (
    <section class="tree">
      <h2>
        {tree.model} <span class="soft">in {tree.domain}</span>
      </h2>
      <Table
        caption={`Shared prefixes of ${tree.model} in ${tree.domain}`}
        isCaptionHidden
        columns={prefixColumns({ nowMs, longest: longestTokens(tree.roots), toggle })}
        rows={prefixRows(tree, toggled)}
        keyOf={({ node }: PrefixRow) => node.id}
        rowClass={({ node }) => (node.warmUntilMs !== null && node.warmUntilMs > nowMs ? 'warm' : 'cold')}
        empty="Nothing is shared here."
      />
    </section>
  );
}
