/**
 * A workload as the replay needs it, from either trace format: each request is a path of units (token blocks, or content
 * positions of a body). A unit's `node` names the whole prefix that ends with it. What a gateway would not see of a request
 * (session) is kept for the biller alone.
 */
import type { PromptView } from '../../src/prompt/prompt-view.ts';

export interface TraceRequest {
  /** Line of the trace in time order. */
  readonly line: number;
  readonly atMs: number;
  readonly session: string;
  readonly model: string;
  /** By unit: id of the prefix that ends with it, and its tokens, cumulated. */
  readonly nodes: Int32Array;
  readonly tokens: Float64Array;
  readonly totalTokens: number;
  readonly systemEnd: number;
  readonly view: PromptView;
}

export interface Trace {
  readonly name: string;
  readonly requests: readonly TraceRequest[];
  readonly nodeCount: number;
}

export type TraceClock = 't' | 't_sparse' | 't_batch';

export function timeOf(line: Record<string, unknown>, clock: TraceClock): number {
  return Number(line[clock] ?? line['t'] ?? 0);
}
