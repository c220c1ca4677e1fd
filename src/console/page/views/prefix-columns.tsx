import type { PrefixNode } from '../../contract.ts';
import type { PrefixRow } from '../data/prefix-rows.ts';
import { Bar } from '../parts/bar.tsx';
import type { Column } from '../parts/table.tsx';
import { hrefOf } from '../route.ts';
import { formatCount, formatTokens, formatUsd } from '../words/numbers.ts';
import { formatAge, formatCountdown } from '../words/times.ts';

interface PrefixLook {
  readonly nowMs: number;
  /** What bars are measured by, in tokens. */
  readonly longest: number;
  readonly toggle: (id: string) => void;
}

export function prefixColumns({ nowMs, longest, toggle }: PrefixLook): readonly Column<PrefixRow>[] {
  return [
    { head: 'Ends at', cell: (row) => <PlaceCell row={row} toggle={toggle} /> },
    {
      head: 'Tokens',
      hint: 'From the start of the prompt to where it ends.',
      isNumber: true,
      cell: ({ node, tokensBelow }) => (
        <span class="with-bar">
          {formatTokens(node.tokens)} <Bar value={node.tokens} of={longest} from={tokensBelow} />
        </span>
      ),
    },
    { head: 'Warm for', isNumber: true, cell: ({ node }) => <Warmth node={node} nowMs={nowMs} /> },
    { head: 'Tenants', cell: ({ node }) => <Tenants node={node} /> },
    { head: 'Requests', isNumber: true, cell: ({ node }) => formatCount(node.requests) },
    {
      head: 'Conversations',
      hint: 'That stand on it and were heard of within the hour.',
      isNumber: true,
      cell: ({ node }) => formatCount(node.conversations),
    },
    { head: 'Last used', isNumber: true, cell: ({ node }) => `${formatAge(nowMs - node.lastUsedAtMs)} ago` },
    {
      head: 'Read',
      hint: 'Tokens read that lie between the end of the prefix above and its own.',
      isNumber: true,
      cell: ({ node }) => formatTokens(node.readTokens),
    },
    {
      head: 'Written',
      hint: 'Tokens written that lie between the end of the prefix above and its own.',
      isNumber: true,
      cell: ({ node }) => formatTokens(node.writeTokens),
    },
    {
      head: 'Writing cost',
      hint: 'What writing cost more than plain input.',
      isNumber: true,
      cell: ({ node }) => formatUsd(node.writeCostUsd),
    },
    {
      head: 'Saved',
      hint: 'By reading, net of writing.',
      isNumber: true,
      cell: ({ node }) => formatUsd(node.savedUsd),
    },
  ];
}

interface PlaceCellProps {
  readonly row: PrefixRow;
  readonly toggle: (id: string) => void;
}

/** Arrow keys open and close, as in any tree. */
function PlaceCell({ row: { node, level, isOpen }, toggle }: PlaceCellProps) {
  const indent = { paddingInlineStart: `${level * 1.1}rem` };
  if (node.children.length === 0) {
    return (
      <span class="place leaf" style={indent}>
        <code>{node.place}</code>
      </span>
    );
  }
  const onKeyDown = ({ key }: KeyboardEvent): void => {
    if (key === (isOpen ? 'ArrowLeft' : 'ArrowRight')) toggle(node.id);
  };
  return (
    <span class="place" style={indent}>
      <button
        type="button"
        class="disclosure"
        aria-expanded={isOpen}
        onClick={() => toggle(node.id)}
        onKeyDown={onKeyDown}
      >
        <code>{node.place}</code>
        <span class="soft"> {isOpen ? '' : `+${formatCount(countBelow(node))}`}</span>
      </button>
    </span>
  );
}

function countBelow({ children }: PrefixNode): number {
  return children.reduce((sum, child) => sum + 1 + countBelow(child), 0);
}

function Warmth({ node, nowMs }: { readonly node: PrefixNode; readonly nowMs: number }) {
  const leftMs = (node.warmUntilMs ?? 0) - nowMs;
  if (leftMs <= 0) return <span class="soft">cold</span>;
  return (
    <span class="warmth">
      {formatCountdown(leftMs)} <span class="soft">of {node.ttl === '1h' ? '1 h' : '5 min'}</span>
    </span>
  );
}

const TENANTS_NAMED = 3;

function Tenants({ node: { tenants, tenantCount } }: { readonly node: PrefixNode }) {
  const named = tenants.slice(0, TENANTS_NAMED);
  return (
    <span class="names" title={tenants.join(', ')}>
      {named.map((tenant) => (
        <a key={tenant} href={hrefOf({ view: 'requests', filter: { tenant } })}>
          {tenant}
        </a>
      ))}
      {tenantCount > named.length && <span class="soft">+{formatCount(tenantCount - named.length)}</span>}
    </span>
  );
}
