import type { CacheStoryView } from '../../contract.ts';
import { CACHE_REASONS, CACHE_RESULTS, FLIGHT_ROLES, MARK_REASONS } from '../words/cache-words.ts';
import { wordsFor } from '../words/exchange-words.ts';
import { formatCount } from '../words/numbers.ts';
import { CacheTag } from '../parts/cache-tag.tsx';

/** What the prompt cache did with one request: the result, why it is no better, the markers that were set and why there. */
export function CacheChapter({ cache }: { readonly cache: CacheStoryView }) {
  const { result, reason, at, byte, added, flight } = cache;
  return (
    <section aria-labelledby="cache">
      <h2 id="cache">
        Cache: <CacheTag result={result} />
      </h2>
      <p>{CACHE_RESULTS[result]}</p>
      {reason !== null && (
        <p>
          {wordsFor(CACHE_REASONS, reason)} <code class="soft">{reason}</code>
        </p>
      )}
      {at !== null && (
        <p>
          It differs from what was known at <code>{at}</code>
          {byte !== null && `, byte ${formatCount(byte)} of the body`}.
        </p>
      )}
      <p>{wordsFor(FLIGHT_ROLES, flight)}</p>
      <h3>Breakpoints that the gateway added</h3>
      {added.length === 0 ? (
        <p class="soft">None; the caller's own stand as they came.</p>
      ) : (
        <ol class="breakpoints">
          {added.map(({ place, ttl, why }) => (
            <li key={place}>
              <code>{place}</code> for {ttl}: {wordsFor(MARK_REASONS, why)}.
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
