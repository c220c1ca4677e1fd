import type { Trace } from './trace.ts';

/**
 * Which nodes of a trace end a content position: where a request or a system prompt ended, and where prompts parted. Only
 * the biller's look-back uses it (`replay.ts`), so that fixed policies are not billed as if a message were twenty positions.
 */
export function boundariesOf(trace: Trace): Uint8Array {
  const boundary = new Uint8Array(trace.nodeCount);
  const child = new Int32Array(trace.nodeCount).fill(-1);
  for (const { nodes, systemEnd } of trace.requests) {
    for (let at = 0; at + 1 < nodes.length; at++) {
      const node = nodes[at] ?? 0;
      const next = nodes[at + 1] ?? 0;
      if (child[node] === -1) child[node] = next;
      else if (child[node] !== next) boundary[node] = 1;
    }
    for (const depth of [systemEnd, nodes.length]) {
      const node = nodes[depth - 1];
      if (node !== undefined) boundary[node] = 1;
    }
  }
  return boundary;
}
