import type { CacheEngine, CacheLookup } from '../../../src/simulator/cache/engine.ts';
import type { CacheMark, CachePosition, CacheRequest, CacheTtl } from '../../../src/simulator/cache/cache-types.ts';

export const MINUTE_MS = 60_000;

/** Positions whose chained hashes are their path: `prompt('a b c')` and `prompt('a b x')` share the first two. */
export function prompt(words: string, tokens = 1000): CachePosition[] {
  const path: string[] = [];
  return words.split(' ').map((word) => {
    path.push(word);
    return { hash: path.join('/'), tokens, markable: !word.startsWith('thinking') };
  });
}

/** `count` positions of one conversation: a longer one begins with a shorter one. */
export function conversation(count: number, tokens = 1000): CachePosition[] {
  return prompt(Array.from({ length: count }, (_, index) => `b${index}`).join(' '), tokens);
}

export function mark(at: number, ttl: CacheTtl = '5m'): CacheMark {
  return { at, ttl };
}

export function request(
  positions: CachePosition[],
  marks: CacheMark[],
  startedAtMs = 0,
  rest: Partial<CacheRequest> = {},
) {
  return { domain: 'workspace/model', minTokens: 1024, positions, marks, startedAtMs, ...rest } satisfies CacheRequest;
}

export function begin(engine: CacheEngine, asked: CacheRequest): CacheLookup {
  const outcome = engine.begin(asked);
  if (outcome.kind === 'refused') throw new Error(`refused: ${outcome.refusal.kind}`);
  return outcome.lookup;
}

/** A request whose answer begins at once. */
export function send(engine: CacheEngine, asked: CacheRequest): CacheLookup {
  const lookup = begin(engine, asked);
  engine.commit(lookup);
  return lookup;
}
