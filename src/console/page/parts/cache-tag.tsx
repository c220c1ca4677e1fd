import type { CacheLabel } from '../../contract.ts';
import { UNKNOWN } from '../words/numbers.ts';

/** How the cache treated a request, as a word with a mark that can be told apart without colour. */
const MARKS: Readonly<Record<CacheLabel, string>> = { hit: '●', partial: '◐', miss: '○', off: '·' };

export function CacheTag({ result }: { readonly result: CacheLabel | null }) {
  if (result === null) return <span class="soft">{UNKNOWN}</span>;
  return (
    <span class={`cache ${result}`}>
      <span aria-hidden="true">{MARKS[result]}</span> {result}
    </span>
  );
}
