import type { Trace } from '../../bench/cache/trace.ts';
import { view } from '../prompt/views.ts';

/** A trace of prompts by the names of their units, 2000 tokens each; `|` ends the system. Conversation: the third entry. */
export function traceOf(lines: readonly (readonly [seconds: number, words: string, session?: string])[]): Trace {
  const ids = new Map<number, number>();
  const requests = lines.map(([seconds, words, session], line) => {
    const bare = view(words);
    const nodes = Int32Array.from(bare.hashes, (hash) => ids.get(hash) ?? (ids.set(hash, ids.size), ids.size - 1));
    const tokens = Float64Array.from(bare.hashes, (_, at) => (at + 1) * 2000);
    return {
      line,
      atMs: seconds * 1000,
      session: session ?? String(line),
      model: 'claude-test',
      nodes,
      tokens,
      totalTokens: tokens.at(-1) ?? 0,
      systemEnd: bare.systemEnd,
      view: { ...bare, tokens },
    };
  });
  return { name: 'made', requests, nodeCount: ids.size };
}
