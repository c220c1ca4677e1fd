import type { RequestStory } from '../../contract.ts';
import { Table, type Column } from '../parts/table.tsx';
import { formatCount, formatUsd } from '../words/numbers.ts';

/** What was billed beside what the plan had expected, and what that comes to. */
interface TokenLine {
  readonly name: string;
  readonly billed: number;
  readonly expected: number | null;
}

export function TokensChapter({ story }: { readonly story: RequestStory }) {
  const { costUsd, savedUsd, model } = story;
  return (
    <section aria-labelledby="tokens">
      <h2 id="tokens">Tokens and cost</h2>
      <Table
        caption="Tokens by how they are billed"
        isCaptionHidden
        isSmall
        columns={COLUMNS}
        rows={linesOf(story)}
        keyOf={({ name }) => name}
        empty="The answer does not say what it consumed."
      />
      <p>
        {costUsd === null
          ? `What it cost is not known${model === null ? '' : `: there is no price for ${model}`}.`
          : `It cost ${formatUsd(costUsd, 6)}; ${savingOf(savedUsd ?? 0)}`}
      </p>
    </section>
  );
}

const COLUMNS: readonly Column<TokenLine>[] = [
  { head: 'Tokens', cell: ({ name }) => name },
  { head: 'Billed', isNumber: true, cell: ({ billed }) => formatCount(billed) },
  { head: 'Planned', isNumber: true, cell: ({ expected }) => formatCount(expected) },
];

function linesOf({ tokens, cacheStory }: RequestStory): readonly TokenLine[] {
  if (!tokens) return [];
  const plan = cacheStory?.expected;
  return [
    { name: 'input, read from cache', billed: tokens.cacheRead, expected: plan?.readTokens ?? null },
    { name: 'input, written for 5 min', billed: tokens.cacheWrite5m, expected: plan?.write5mTokens ?? null },
    { name: 'input, written for 1 h', billed: tokens.cacheWrite1h, expected: plan?.write1hTokens ?? null },
    { name: 'input, uncached', billed: tokens.uncached, expected: plan?.uncachedTokens ?? null },
    { name: 'output', billed: tokens.output, expected: null },
  ];
}

function savingOf(savedUsd: number): string {
  if (savedUsd === 0) return 'without any caching it would have cost the same.';
  const difference = formatUsd(Math.abs(savedUsd), 6);
  return savedUsd > 0
    ? `without any caching it would have cost ${difference} more.`
    : `without any caching it would have cost ${difference} less: what it wrote has to be read to pay.`;
}
