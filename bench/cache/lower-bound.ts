/**
 * The least any policy could pay, knowing the future and ignoring the limit of four markers, the look-back and the model's
 * minimum. Each unit (block, position) is decided alone: at each pass it is left uncached (1), written (w5, w1), or read if
 * it lives; the cheapest way through all passes is kept per state (dead, alive for 5 minutes, for an hour), streaming.
 * Passes less than a base TTFT apart cannot read what one of them writes. Under the prolonging reading an entry that is
 * read can become an hour's at no cost, which is what the smallest 1h write on top would do.
 */
import type { Trace } from './trace.ts';

export interface BoundPrices {
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
  readonly prolong: boolean;
}

const GROUP_MS = 500;
const SHORT_MS = 300_000;
const LONG_MS = 3_600_000;

export function lowerBound(trace: Trace, prices: BoundPrices): number {
  const state = createStates(trace.nodeCount);
  let owned = 0;
  let total = 0;
  for (const request of trace.requests) {
    total += request.totalTokens;
    owned += request.totalTokens - (request.tokens.at(-1) ?? 0);
    for (let at = 0; at < request.nodes.length; at++) {
      const node = request.nodes[at] ?? 0;
      state.size[node] = (request.tokens[at] ?? 0) - (at > 0 ? (request.tokens[at - 1] ?? 0) : 0);
      pass(state, node, request.atMs, prices);
    }
  }
  let cost = owned;
  for (let node = 0; node < trace.nodeCount; node++) {
    if ((state.seenMs[node] ?? Infinity) === Infinity) continue;
    cost += (state.size[node] ?? 0) * Math.min(...STATES.map((name) => state[name][node] ?? Infinity));
  }
  return cost / total;
}

const STATES = ['dead', 'short', 'hour', 'newShort', 'newHour'] as const;

type States = Record<(typeof STATES)[number] | 'seenMs' | 'groupMs' | 'size', Float64Array>;

function createStates(count: number): States {
  const filled = (value: number) => new Float64Array(count).fill(value);
  return {
    dead: filled(0),
    short: filled(Infinity),
    hour: filled(Infinity),
    newShort: filled(Infinity),
    newHour: filled(Infinity),
    seenMs: filled(Infinity),
    groupMs: filled(-Infinity),
    size: filled(0),
  };
}

function pass(state: States, node: number, atMs: number, prices: BoundPrices): void {
  const get = (name: keyof States) => state[name][node] ?? Infinity;
  if (atMs - get('groupMs') < GROUP_MS) {
    state.dead[node] = get('dead') + 1;
    state.newShort[node] = get('newShort') + 1;
    state.newHour[node] = get('newHour') + 1;
    state.short[node] = get('short') + prices.read;
    state.hour[node] = get('hour') + prices.read;
    state.seenMs[node] = atMs;
    return;
  }
  const gapMs = atMs - get('seenMs');
  const short = Math.min(get('short'), get('newShort'));
  const hour = Math.min(get('hour'), get('newHour'));
  const shortLives = gapMs <= SHORT_MS;
  const hourLives = gapMs <= LONG_MS;
  const dead = Math.min(get('dead'), shortLives ? Infinity : short, hourLives ? Infinity : hour);
  const liveShort = shortLives ? short : Infinity;
  const liveHour = hourLives ? hour : Infinity;
  state.dead[node] = dead + 1;
  state.newShort[node] = dead + prices.write5m;
  state.newHour[node] = dead + prices.write1h;
  state.short[node] = liveShort + prices.read;
  state.hour[node] = Math.min(liveHour, prices.prolong ? liveShort : Infinity) + prices.read;
  state.seenMs[node] = atMs;
  state.groupMs[node] = atMs;
}
