/**
 * Replays a trace on a stepped clock: the policy places markers, the simulator's cache engine bills them. Requests and the
 * beginnings of answers are the only events. An answer begins 0.5 s + 50 µs per token that was not read after its request,
 * but, where `readable` is `conversation`, not after the next request of its own conversation: that one contains it.
 *
 * The engine counts positions in its look-back. A block trace has no content positions, so the engine's are the stretches
 * between places where any request ended, a system prompt ended, prompts parted, or a marker stands; `blocks` takes every
 * block for a position instead. The planner never sees this: it gets the blocks.
 */
import type { CacheLookup, CacheEngine } from '../../src/simulator/cache/engine.ts';
import type { CachePosition } from '../../src/simulator/cache/cache-types.ts';
import { createCacheEngine } from '../../src/simulator/cache/engine.ts';
import { boundariesOf } from './boundaries.ts';
import type { DepthMark, Policy } from './policy.ts';
import { chooseRoute, type Router } from './routing.ts';
import type { Trace, TraceRequest } from './trace.ts';

export interface ReplayOptions {
  readonly prolong: boolean;
  readonly readable: 'conversation' | 'ttft';
  readonly positions: 'turns' | 'blocks';
  readonly minimumFor: (request: TraceRequest) => number;
  readonly maxHoldMs: number;
  readonly router: Router;
}

export interface Billed {
  readonly line: number;
  readonly marks: readonly DepthMark[];
  readonly domain: string;
  readonly heldMs: number;
  readonly ttftMs: number;
  readonly readTokens: number;
  readonly write5mTokens: number;
  readonly write1hTokens: number;
  readonly uncachedTokens: number;
}

interface Answer {
  readonly atMs: number;
  readonly request: TraceRequest;
  readonly lookup: CacheLookup;
}

const BASE_TTFT_MS = 500;
const MS_PER_TOKEN = 0.05;

export function replay(trace: Trace, policy: Policy, options: ReplayOptions): Billed[] {
  const engine = createCacheEngine({ prolong: options.prolong });
  const boundaries = options.positions === 'turns' ? boundariesOf(trace) : null;
  const positions = new Map<string, CachePosition>();
  const nextOf = nextInConversation(trace);
  const answers: Answer[] = [];
  const waiting: { atMs: number; request: TraceRequest }[] = [];
  const inFlight = new Map<string, number>();
  const billed: Billed[] = [];

  const answerUntil = (nowMs: number) => {
    for (let first = answers[0]; first && first.atMs <= nowMs; first = answers[0]) {
      answers.shift();
      engine.commit(first.lookup);
      const { usage } = first.lookup;
      const writtenTokens = usage.write5mTokens + usage.write1hTokens;
      policy.answered(first.request, {
        readTokens: usage.readTokens,
        writtenTokens,
        uncachedTokens: usage.uncachedTokens,
      });
    }
  };

  const send = (request: TraceRequest, nowMs: number) => {
    answerUntil(nowMs);
    const domain = chooseRoute(options.router, policy, request, nowMs);
    const { marks, pendingDepth } = policy.decide(request, domain, nowMs);
    const readyMs = policy.singleFlight ? readyAt(request, domain, pendingDepth, nowMs) : 0;
    if (readyMs > nowMs && readyMs - request.atMs <= options.maxHoldMs) {
      insertByTime(waiting, { atMs: readyMs, request });
      return;
    }
    billed.push(bill(request, domain, marks, nowMs));
  };

  const readyAt = (request: TraceRequest, domain: string, depth: number, nowMs: number) => {
    for (let at = depth; at > 0; at--) {
      const readyMs = inFlight.get(`${domain}/${request.nodes[at - 1]}`) ?? 0;
      if (readyMs > nowMs) return readyMs;
    }
    return 0;
  };

  const bill = (request: TraceRequest, domain: string, marks: readonly DepthMark[], nowMs: number): Billed => {
    const lookup = lookUp(engine, request, domain, marks, nowMs, options, boundaries, positions);
    const { usage } = lookup;
    const ttftMs = BASE_TTFT_MS + MS_PER_TOKEN * (request.totalTokens - usage.readTokens);
    const nextMs = options.readable === 'conversation' ? (nextOf[request.line] ?? Infinity) : Infinity;
    const atMs = Math.max(nowMs, Math.min(nowMs + ttftMs, nextMs));
    insertByTime(answers, { atMs, request, lookup });
    for (const mark of marks) inFlight.set(`${domain}/${request.nodes[mark.depth - 1]}`, atMs);
    policy.sent(request, domain, marks, nowMs);
    const heldMs = nowMs - request.atMs;
    return { line: request.line, marks, domain, heldMs, ttftMs: ttftMs + heldMs, ...usage };
  };

  for (const request of trace.requests) {
    for (let first = waiting[0]; first && first.atMs <= request.atMs; first = waiting[0]) {
      waiting.shift();
      send(first.request, first.atMs);
    }
    send(request, request.atMs);
  }
  for (let first = waiting.shift(); first; first = waiting.shift()) send(first.request, first.atMs);
  answerUntil(Number.POSITIVE_INFINITY);
  return billed.sort((a, b) => a.line - b.line);
}

function lookUp(
  engine: CacheEngine,
  request: TraceRequest,
  domain: string,
  marks: readonly DepthMark[],
  nowMs: number,
  options: ReplayOptions,
  boundaries: Uint8Array | null,
  known: Map<string, CachePosition>,
): CacheLookup {
  const positions: CachePosition[] = [];
  const markAt = new Map<number, number>();
  const marked = new Set(marks.map((mark) => mark.depth));
  let from = 0;
  for (let depth = 1; depth <= request.nodes.length; depth++) {
    const node = request.nodes[depth - 1] ?? 0;
    if (boundaries && boundaries[node] !== 1 && !marked.has(depth)) continue;
    const tokens = (request.tokens[depth - 1] ?? 0) - (from > 0 ? (request.tokens[from - 1] ?? 0) : 0);
    positions.push(positionOf(known, node, tokens));
    markAt.set(depth, positions.length - 1);
    from = depth;
  }
  const rest = request.totalTokens - (from > 0 ? (request.tokens[from - 1] ?? 0) : 0);
  if (rest > 0) positions.push({ hash: `own ${request.line}`, tokens: rest, markable: false });
  const outcome = engine.begin({
    domain: `${domain}\n${request.model}`,
    minTokens: options.minimumFor(request),
    positions,
    marks: marks.map(({ depth, ttl }) => ({ at: markAt.get(depth) ?? -1, ttl })),
    startedAtMs: nowMs,
  });
  if (outcome.kind === 'refused') throw new Error(`request ${request.line}: ${outcome.refusal.kind}`);
  return outcome.lookup;
}

/** Positions are made once: the same stretch under the same node is the same position. */
function positionOf(known: Map<string, CachePosition>, node: number, tokens: number): CachePosition {
  const key = `${node}:${tokens}`;
  let position = known.get(key);
  if (!position) known.set(key, (position = { hash: String(node), tokens, markable: true }));
  return position;
}

function nextInConversation(trace: Trace): Float64Array {
  const next = new Float64Array(trace.requests.length).fill(Number.POSITIVE_INFINITY);
  const later = new Map<string, number>();
  for (const request of trace.requests.toReversed()) {
    next[request.line] = later.get(request.session) ?? Number.POSITIVE_INFINITY;
    later.set(request.session, request.atMs);
  }
  return next;
}

function insertByTime<T extends { readonly atMs: number }>(queue: T[], item: T): void {
  let at = queue.length;
  while (at > 0 && (queue[at - 1]?.atMs ?? 0) > item.atMs) at--;
  queue.splice(at, 0, item);
}
