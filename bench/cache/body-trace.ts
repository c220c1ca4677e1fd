/**
 * Traces of whole Messages bodies. The planner gets what the gateway's own scanner finds in the bytes; the biller gets
 * positions from a plain walk over the parsed body. They are made independently and must agree on how many there are.
 */
import { prefixOf } from '../../src/prompt/prefix.ts';
import type { PromptView } from '../../src/prompt/prompt-view.ts';
import { scanRequest } from '../../src/prompt/scan/scan.ts';
import { timeOf, type Trace, type TraceClock, type TraceRequest } from './trace.ts';

const BYTES_PER_TOKEN = 3.6;

interface Body {
  readonly model: string;
  readonly tools?: readonly unknown[];
  readonly system?: string | readonly unknown[];
  readonly messages: readonly { readonly role: string; readonly content: string | readonly unknown[] }[];
}

export function readBodies(name: string, lines: readonly Record<string, unknown>[], clock: TraceClock): Trace {
  const ids = new Map<string, number>();
  const requests = lines.map((raw, line): TraceRequest => {
    const body = raw['request'] as Body;
    const parts = partsOf(body);
    const nodes = new Int32Array(parts.texts.length);
    const tokens = new Float64Array(parts.texts.length);
    let node = -1;
    let bytes = 0;
    parts.texts.forEach((text, at) => {
      const path = `${body.model}|${node}|${text}`;
      node = ids.get(path) ?? ids.size;
      ids.set(path, node);
      bytes += Buffer.byteLength(text);
      nodes[at] = node;
      tokens[at] = bytes / BYTES_PER_TOKEN;
    });
    return {
      line,
      atMs: timeOf(raw, clock) * 1000,
      session: String(raw['session']),
      model: body.model,
      nodes,
      tokens,
      totalTokens: tokens.at(-1) ?? 0,
      systemEnd: parts.systemEnd,
      view: viewOf(body, String(raw['tenant']), tokens),
    };
  });
  return { name, requests, nodeCount: ids.size };
}

function partsOf(body: Body): { texts: string[]; systemEnd: number } {
  const blocks = (content: string | readonly unknown[]) =>
    typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const head = [...(body.tools ?? []), ...blocks(body.system ?? [])].map((part) => JSON.stringify(part));
  const messages = body.messages.flatMap((message) =>
    blocks(message.content).map((block) => `${message.role}${JSON.stringify(block)}`),
  );
  return { texts: [...head, ...messages], systemEnd: head.length };
}

function viewOf(body: Body, tenant: string, tokens: Float64Array): PromptView {
  const scanned = scanRequest(new TextEncoder().encode(JSON.stringify(body)));
  if (scanned.kind !== 'scanned') throw new Error(`the scanner refuses a body of the trace: ${scanned.kind}`);
  const prefix = prefixOf(scanned.prompt, { domainKey: 0, stripsAttribution: false });
  if (prefix.hashes.length !== tokens.length) throw new Error('scanner and walk disagree on the positions of a body');
  return {
    key: body.model,
    tenant,
    hashes: prefix.hashes,
    tokens,
    markable: Uint8Array.from(prefix.positions, (position) => (position.markable ? 1 : 0)),
    systemEnd: prefix.systemEnd,
    clientMarks: prefix.callerMarks,
    automatic: prefix.automatic,
  };
}
