// Replays traces through the real planner and the simulator's cache engine, and prints what each policy costs.
//   npm run bench:cache -- TRACE… [--json FILE] [--plans FILE] [--clock t|t_sparse|t_batch] …   (--help: all of it)

import { writeFileSync } from 'node:fs';
import { MODELS, modelName } from '../../src/core/models.ts';
import { lowerBound } from './lower-bound.ts';
import { parseCacheOptions, type CacheBenchOptions } from './options.ts';
import {
  FIXED_POLICIES,
  fixedPolicy,
  slipstreamPolicy,
  watchWith,
  type Policy,
  type SlipstreamPolicy,
  type WatchOptions,
} from './policy.ts';
import { createPlacementIndex } from '../../src/prompt/learn/placement-index.ts';
import { replay, type Billed, type ReplayOptions } from './replay.ts';
import { createRouter, ROUTER_KINDS, type RouterKind } from './routing.ts';
import { summarize, type Summary } from './summary.ts';
import { renderTable } from './table.ts';
import { readTrace } from './read-trace.ts';
import type { Trace, TraceRequest } from './trace.ts';

const WRITE_5M = 1.25;
const WRITE_1H = 2;
const MAX_HOLD_MS = 5000;
const FLIGHT_NAME = 'Slipstream with single-flight';

const parsed = parseCacheOptions(process.argv.slice(2));
if (parsed.kind === 'stop') {
  console.error(parsed.message);
  process.exit(parsed.exitCode);
}
run(parsed.options);

function run(options: CacheBenchOptions): void {
  const report: Record<string, unknown>[] = [];
  const plans: string[] = [];
  for (const file of options.traces) {
    const trace = readTrace(file, options.clock);
    const tokens = trace.requests.reduce((sum, request) => sum + request.totalTokens, 0);
    console.log(`\n${trace.name}: ${trace.requests.length} requests, ${(tokens / 1e6).toFixed(1)} M input tokens`);
    for (const prolong of options.prolong) report.push(compare(trace, options, prolong, plans));
    if (options.domains > 1) report.push(compareRouting(trace, options));
  }
  if (options.jsonFile) writeFileSync(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  if (options.plansFile) writeFileSync(options.plansFile, plans.length > 0 ? `${plans.join('\n')}\n` : '');
}

function compare(trace: Trace, options: CacheBenchOptions, prolong: boolean, plans: string[]): Record<string, unknown> {
  const bound = lowerBound(trace, { read: options.read, write5m: WRITE_5M, write1h: WRITE_1H, prolong });
  const rows: Summary[] = [];
  for (const policy of policiesOf(options, prolong)) {
    const billed = replay(trace, policy, replayOptions(options, prolong, 'single', 1));
    rows.push(summaryOf(trace, policy, billed, options, prolong, bound));
    if (prolong === options.prolong[0] && policy.name === plannedPolicy(options)) plans.push(...billed.map(planLine));
  }
  const reading = prolong ? 'a 1h write keeps a 5m prefix below it alive' : 'cautious: it does not';
  console.log(`\n${reading}; lower bound ${bound.toFixed(4)}\n${renderTable(rows)}`);
  return { trace: trace.name, clock: options.clock, prolong, lowerBound: bound, rows };
}

function compareRouting(trace: Trace, options: CacheBenchOptions): Record<string, unknown> {
  const bound = lowerBound(trace, { read: options.read, write5m: WRITE_5M, write1h: WRITE_1H, prolong: false });
  const rows: Summary[] = [];
  for (const kind of ROUTER_KINDS) {
    const policy = routedPolicy(options, kind);
    const billed = replay(trace, policy, replayOptions(options, false, kind, options.domains));
    rows.push(summaryOf(trace, policy, billed, options, false, bound));
    console.error(`  ${policy.name}: requests by domain ${loadsOf(billed).join(', ')}`);
  }
  console.log(`\n${options.domains} cache domains\n${renderTable(rows)}`);
  return { trace: trace.name, domains: options.domains, rows };
}

/** Routing asks what the index has seen, so a fixed placement is watched too. */
function routedPolicy(options: CacheBenchOptions, kind: RouterKind): Policy {
  const fixed = FIXED_POLICIES.find(({ name }) => options.routed !== undefined && name.includes(options.routed));
  if (!fixed) return slipstream(options, false, true, `Slipstream, ${kind}`);
  const index = createPlacementIndex({ maxPositions: options.maxPositions });
  return fixedPolicy(`${fixed.name}, ${kind}`, fixed.place, watchWith(index, watchOptions(options, false)));
}

function policiesOf(options: CacheBenchOptions, prolong: boolean): Policy[] {
  const fixed = FIXED_POLICIES.map(({ name, place }) => fixedPolicy(name, place));
  const ours = [slipstream(options, prolong, false, 'Slipstream'), slipstream(options, prolong, true, FLIGHT_NAME)];
  const { only } = options;
  return [...fixed, ...ours].filter((policy) => only === undefined || policy.name.includes(only));
}

function plannedPolicy(options: CacheBenchOptions): string {
  return options.only === undefined ? FLIGHT_NAME : (policiesOf(options, false)[0]?.name ?? '');
}

function slipstream(
  options: CacheBenchOptions,
  prolong: boolean,
  singleFlight: boolean,
  name: string,
): SlipstreamPolicy {
  return slipstreamPolicy({ ...watchOptions(options, prolong), name, singleFlight });
}

function watchOptions(options: CacheBenchOptions, prolong: boolean): WatchOptions {
  const rulesFor = (request: TraceRequest) => ({
    minimumTokens: minimumOf(options, request),
    read: readOf(options, request),
    write5m: WRITE_5M,
    write1h: WRITE_1H,
  });
  return { prolong, rulesFor, maxPositions: options.maxPositions };
}

function replayOptions(
  options: CacheBenchOptions,
  prolong: boolean,
  router: RouterKind,
  domains: number,
): ReplayOptions {
  return {
    prolong,
    readable: options.readable,
    positions: options.positions,
    minimumFor: (request) => minimumOf(options, request),
    maxHoldMs: MAX_HOLD_MS,
    router: createRouter(router, domains, options.loadHalfLifeMs),
  };
}

function factsOf(options: CacheBenchOptions, request: TraceRequest | undefined) {
  const name = options.byModel && request ? modelName(request.model) : null;
  return name === null ? undefined : MODELS[name];
}

function minimumOf(options: CacheBenchOptions, request: TraceRequest): number {
  return factsOf(options, request)?.minimumCacheTokens ?? options.minimumTokens;
}

function readOf(options: CacheBenchOptions, request: TraceRequest | undefined): number {
  return factsOf(options, request)?.readMultiplier ?? options.read;
}

function summaryOf(
  trace: Trace,
  policy: Policy,
  billed: readonly Billed[],
  options: CacheBenchOptions,
  prolong: boolean,
  bound: number,
): Summary {
  const pricesOf = (line: number) => {
    const request = trace.requests[line];
    const weight = factsOf(options, request)?.inputUsdPerMTok ?? 1;
    return { read: readOf(options, request), write5m: WRITE_5M, write1h: WRITE_1H, weight };
  };
  const planning = 'planning' in policy ? (policy as SlipstreamPolicy).planning : null;
  const micros = planning ? (planning.ms * 1000) / Math.max(1, planning.count) : null;
  return summarize(policy.name, prolong, billed, pricesOf, bound, micros);
}

function planLine(billed: Billed): string {
  return JSON.stringify({
    i: billed.line,
    marks: billed.marks.map(({ depth, ttl }) => ({ at: depth, ttl })),
    held: billed.heldMs / 1000,
    read: billed.readTokens,
    write5m: billed.write5mTokens,
    write1h: billed.write1hTokens,
    uncached: billed.uncachedTokens,
  });
}

function loadsOf(billed: readonly Billed[]): number[] {
  const loads = new Map<string, number>();
  for (const { domain } of billed) loads.set(domain, (loads.get(domain) ?? 0) + 1);
  return [...loads].sort(([a], [b]) => a.localeCompare(b)).map(([, count]) => count);
}
