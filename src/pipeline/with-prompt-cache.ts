import type { Clock } from '../core/clock.ts';
import { NO_WATCH, type AnswerWatch, type GatewayRequest, type Outcome } from '../core/exchange.ts';
import { costOf } from '../core/prices.ts';
import { totalInput, type TokenUsage } from '../core/usage.ts';
import { modelLabel, type TenantLabels } from '../metrics/labels.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { headOf, type Kinship } from '../prompt/kinship.ts';
import { observeSent, type SentRequest } from '../prompt/observe.ts';
import type { PlacementIndex } from '../prompt/placement-index.ts';
import type { Plan } from '../prompt/prompt-view.ts';
import { settleAnswer, settleFailure } from '../prompt/settle-answer.ts';
import { insertionsFor, splice } from '../prompt/splice.ts';
import type { TokenScale } from '../prompt/token-scale.ts';
import type { VolatilePrefixes } from '../prompt/volatile-prefix.ts';
import type { Flights } from '../state/flights.ts';
import { approach, type Approach } from './cache-approach.ts';
import { countBreakpoints, countReport, knownPrefix, offReport, renderReport, reportOf, toStory, type CacheReport } from './cache-report.ts'; // prettier-ignore
import { cacheTarget, type CacheSettings, type CacheTarget } from './cache-target.ts';
import type { Context, Layer, Service } from './service.ts';
import { createShapeBans, type ShapeBans } from './shape-bans.ts';

/**
 * The prompt cache: plans where markers are worth their price, splices them into the caller's bytes, lets one request
 * write what several need, and learns from what each answer says it read. Invariant: no request fails because of us. What
 * is not fully understood goes out untouched, and a 400 that speaks of our markers is asked again without them.
 */
export interface PromptCacheOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tenantLabels: TenantLabels;
  readonly index: PlacementIndex;
  readonly flights: Flights;
  readonly scale: TokenScale;
  readonly kinship: Kinship;
  readonly volatile: VolatilePrefixes;
  readonly cacheSettings: () => CacheSettings;
}

type Target = Extract<CacheTarget, { kind: 'target' }>;

export function withPromptCache(options: PromptCacheOptions): Layer {
  const bans = createShapeBans(options.clock);
  return (inner) => async (request, context) => {
    const settings = options.cacheSettings();
    const target = cacheTarget(request, context, settings, options.scale);
    if (target.kind === 'none') return passThrough(inner, request, context, offReport(target.reason), options);
    const approached = await approach(target, settings, context.signal, options);
    if (!approached) return abandoned(options);
    context.timings.holdMs = approached.waitedMs;
    countFlight(approached, options.metrics);
    try {
      return await send(inner, request, context, target, approached, bans, options);
    } finally {
      approached.lead?.failed(); // without effect once it has landed
    }
  };
}

async function passThrough(
  inner: Service,
  request: GatewayRequest,
  context: Context,
  report: CacheReport,
  { metrics, tenantLabels }: PromptCacheOptions,
): Promise<Outcome> {
  const watch: AnswerWatch = { ...NO_WATCH, cacheHeader: () => renderReport(report) };
  if (request.operation === 'messages') countReport(metrics, tenantLabels.of(context.tenant.id), report);
  return inner(request, { ...context, watch });
}

function abandoned({ metrics }: PromptCacheOptions): Outcome {
  metrics.count('slipstream_single_flight_total', { role: 'follower', outcome: 'abandoned' });
  return { kind: 'abandoned' };
}

async function send(
  inner: Service,
  request: GatewayRequest,
  context: Context,
  target: Target,
  { plan, lead, role }: Approach,
  bans: ShapeBans,
  options: PromptCacheOptions,
): Promise<Outcome> {
  const { clock, index, metrics, tenantLabels } = options;
  const shape = bans.shapeOf(target.domain, target.model, target.prefix, plan.marks);
  const marks = bans.has(shape) ? [] : plan.marks;
  const body = target.mode === 'auto' ? marked(request.body, target, marks) : request.body;
  const isTouched = body !== request.body;
  const story = tell(target, plan, options);
  const nowMs = clock.nowMs();
  let sent: SentRequest | null = observeSent(index, target.view, target.rules, marks, nowMs);
  if (target.mode === 'auto') countBreakpoints(metrics, target, marks);

  const settle = (usage: TokenUsage | null): void => {
    if (sent) settleAnswer(index, sent, target.mode === 'auto' ? answerUsage(usage) : null);
    sent = null;
    lead?.landed();
    if (usage) options.scale.learn(target.model, promptBytes(target), totalInput(usage));
  };
  const watch: AnswerWatch = {
    cacheHeader: (usage) => renderReport(story.report(usage)),
    onContent: settle,
    holds: (status) => isTouched && status === 400,
  };
  let outcome = await inner({ ...request, body }, { ...context, watch });
  if (outcome.kind === 'held') outcome = await afterRefusal(outcome, shape);
  if (sent) settleFailure(index, sent);
  finish(outcome);
  return outcome;

  /** A 400 that names what we added: asked once more with the caller's bytes. If those pass, it was ours, and is not done again. */
  async function afterRefusal(held: Extract<Outcome, { kind: 'held' }>, shapeName: string): Promise<Outcome> {
    if (!speaksOfMarkers(held.body)) return held.send();
    metrics.count('slipstream_retries_total', { upstream: context.routed?.upstream.id ?? '', reason: 'cache_control' });
    const second = await inner(request, { ...context, watch: { ...watch, holds: () => false } });
    if (second.kind !== 'answered' || second.status !== held.status) bans.add(shapeName);
    return second;
  }

  function finish(ended: Outcome): void {
    const tenant = tenantLabels.of(context.tenant.id);
    if (ended.kind !== 'answered' || !ended.usage) return;
    const report = story.report(ended.usage);
    countReport(metrics, tenant, report);
    context.notes.cache = toStory(report, target, plan, marks, role);
    if (target.mode !== 'observe') return;
    const wouldSave = wouldSaveUsd(ended.usage, plan, target.model);
    if (wouldSave !== null) {
      metrics.add('slipstream_observed_saving_usd_total', { tenant, model: modelLabel(target.model) }, wouldSave);
    }
  }
}

/** What is known before the request goes out; afterwards only the usage is missing. */
function tell(target: Target, plan: Plan, { clock, index, kinship, volatile, scale }: PromptCacheOptions) {
  const { domain, model, prefix, view } = target;
  const head = headOf(prefix);
  const keys = { domain, model, params: prefix.params };
  const nowMs = clock.nowMs();
  const known = knownPrefix(index, target, plan.marks, kinship.elsewhere(head, keys), nowMs);
  kinship.record(head, keys);
  volatile.record({ tenant: view.tenant, model, prefix, tokensPerByte: scale.tokensPerByte(model), nowMs });
  return {
    report(usage: TokenUsage | null): CacheReport {
      if (target.mode === 'observe') return offReport('observe');
      return usage ? reportOf(known, plan, usage) : offReport('not_worth_it');
    },
  };
}

function marked(body: GatewayRequest['body'], { prefix }: Target, marks: Plan['marks']): GatewayRequest['body'] {
  if (marks.length === 0 || !(body instanceof Uint8Array)) return body;
  const insertions = marks.flatMap(({ at, ttl }) => {
    const position = prefix.positions[at];
    return position?.markable ? insertionsFor(position, ttl) : [];
  });
  return insertions.length > 0 ? splice(body, insertions) : body;
}

function promptBytes({ prefix }: Target): number {
  return prefix.bytes.at(-1) ?? 0;
}

function answerUsage(usage: TokenUsage | null) {
  if (!usage) return null;
  return {
    uncachedTokens: usage.uncachedInput,
    readTokens: usage.cacheRead,
    writtenTokens: usage.cacheWrite5m + usage.cacheWrite1h,
  };
}

/** Wordings differ and change; all of them name the field, or the block whose prefix they say has changed. */
const OUR_REFUSALS = ['cache_control', 'bound to a different conversation'];

function speaksOfMarkers(body: Uint8Array): boolean {
  const text = new TextDecoder().decode(body);
  return OUR_REFUSALS.some((words) => text.includes(words));
}

/** Cost of the answer as it was, less what the plan would have made of its input. */
function wouldSaveUsd(usage: TokenUsage, { expected }: Plan, model: string): number | null {
  const forecast = expected.readTokens + expected.write5mTokens + expected.write1hTokens + expected.uncachedTokens;
  const scale = forecast > 0 ? totalInput(usage) / forecast : 0;
  const planned: TokenUsage = {
    ...usage,
    uncachedInput: expected.uncachedTokens * scale,
    cacheRead: expected.readTokens * scale,
    cacheWrite5m: expected.write5mTokens * scale,
    cacheWrite1h: expected.write1hTokens * scale,
  };
  const [actual, would] = [costOf(model, usage), costOf(model, planned)];
  return actual && would ? actual.usd - would.usd : null;
}

function countFlight({ role, ending, waitedMs }: Approach, metrics: Metrics): void {
  if (role === 'none') return;
  metrics.count('slipstream_single_flight_total', { role, outcome: ending });
  if (role !== 'leader') {
    metrics.observe('slipstream_single_flight_hold_seconds', { role, outcome: ending }, waitedMs / 1000);
  }
}
