import type { VolatileAdvice } from '../../contract.ts';
import { usePolled } from '../data/use-polled.ts';
import { adviceSentences } from '../words/advice-sentences.ts';
import { formatCount } from '../words/numbers.ts';

const MOST_SHOWN = 8;

interface AdvicePage {
  readonly volatilePrefixes: readonly VolatileAdvice[];
}

/** Blocks that change in every request and spoil what stands behind them, the dearest first, and what to do. */
export function VolatileAdviceList() {
  const polled = usePolled<AdvicePage>('volatile-prefixes', 10_000);
  const found = polled.kind === 'ok' ? polled.value.volatilePrefixes : [];
  if (found.length === 0) return null;
  return (
    <section class="advice" aria-labelledby="advice">
      <h2 id="advice">Worth changing</h2>
      <ul>
        {found.slice(0, MOST_SHOWN).map((advice) => (
          <li key={`${advice.tenant}\n${advice.model}\n${advice.place}`}>{adviceSentences(advice).join(' ')}</li>
        ))}
      </ul>
      {found.length > MOST_SHOWN && <p class="soft">and {formatCount(found.length - MOST_SHOWN)} that cost less</p>}
    </section>
  );
}
