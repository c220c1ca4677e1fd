/** Traces of chained token blocks: equal id, equal whole prefix. */
import type { PromptView } from '../../src/prompt/prompt-view.ts';
import { timeOf, type Trace, type TraceClock } from './trace.ts';

interface BlockLine {
  t: number;
  tenant: string;
  session: string;
  model?: string;
  sys_blocks: number;
  blocks: (number | string)[];
  block_tokens: number;
  input_tokens: number;
}

export function readBlocks(name: string, lines: readonly Record<string, unknown>[], clock: TraceClock): Trace {
  const ids = new Map<number | string, number>();
  const nodeOf = (block: number | string) => {
    const known = ids.get(block) ?? ids.size;
    ids.set(block, known);
    return known;
  };
  const requests = lines.map((raw, line) => {
    const source = raw as unknown as BlockLine;
    const nodes = Int32Array.from(source.blocks, nodeOf);
    const tokens = Float64Array.from(source.blocks, (_, at) => (at + 1) * source.block_tokens);
    return {
      line,
      atMs: timeOf(raw, clock) * 1000,
      session: source.session,
      model: source.model ?? 'unnamed',
      nodes,
      tokens,
      totalTokens: Math.max(source.input_tokens, tokens.at(-1) ?? 0),
      systemEnd: source.sys_blocks,
      view: blockView(source, nodes, tokens),
    };
  });
  return { name, requests, nodeCount: ids.size };
}

/** The remainder of a prompt below one block is its own: nothing the planner could place a marker on. */
function blockView(source: BlockLine, nodes: Int32Array, tokens: Float64Array): PromptView {
  return {
    key: source.model ?? 'unnamed',
    tenant: source.tenant,
    hashes: Float64Array.from(nodes, (node) => spread(node)),
    tokens,
    markable: new Uint8Array(nodes.length).fill(1),
    systemEnd: source.sys_blocks,
    clientMarks: [],
    automatic: null,
  };
}

/** Any injective spread over 53 bits will do for a hash. */
function spread(node: number): number {
  return ((node + 1) * 6_700_417) % Number.MAX_SAFE_INTEGER;
}
