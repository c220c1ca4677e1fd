import type { Clock } from '../core/clock.ts';
import { NO_WATCH, releaseBody, type AnswerWatch, type GatewayRequest, type Outcome } from '../core/exchange.ts';
import type { TokenUsage } from '../core/usage.ts';
import { modelLabel, type TenantLabels } from '../metrics/labels.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { insertionsFor, splice } from '../prompt/splice.ts';
import { adviceFor, type Advice, type OnInternalError } from './cache/advice.ts';
import { approach, type Approach, type ApproachPorts } from './cache/cache-approach.ts';
import { openBook, type BookPorts, type CacheBook } from './cache/cache-book.ts';
import { prefillMs } from './cache/cache-course.ts';
import { countBreakpoints, countReport, renderReport, toStory, untouchedReport } from './cache/cache-report.ts';
import {
  cacheTarget,
  type CacheSettings,
  type CacheTarget,
  type NoTargetReason,
  type Target,
} from './cache/cache-target.ts';
import { observedSavingUsd } from './cache/observed-saving.ts';
import type { Context, Layer, Service } from './service.ts';
import { createShapeBans, type ShapeBans } from './cache/shape-bans.ts';

/**
 * The prompt cache: plans where markers are worth their price, splices them into the caller's bytes, lets one request
 * write what several need, and learns from what each answer says it read. Invariant: no request fails because of us. What
 * is not fully understood goes out untouched, and a 400 that speaks of our markers is asked again without them.
 */
export interface PromptCacheOptions extends BookPorts, Omit<ApproachPorts, 'bans'> {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tenantLabels: TenantLabels;
  readonly cacheSettings: () => CacheSettings;
  readonly onInternalError: OnInternalError;
}

export function withPromptCache(options: PromptCacheOptions): Layer {
  const bans = createShapeBans(options.clock);
  return (inner) => async (request, context) => {
    if (request.operation !== 'messages') return inner(request, context);
    const settings = options.cacheSettings();
    const advise = adviceFor(request.id, options.onInternalError);
    const target = advise(() => cacheTarget(request, context, settings, options.scale), UNREADABLE);
    if (target.kind === 'none') return passThrough(inner, request, context, target.reason, options);
    const approached = await approachSafely(target, settings, request, context, bans, options);
    if (approached === 'abandoned') {
      options.metrics.count('slipstream_single_flight_total', { role: 'follower', outcome: 'abandoned' });
      return { kind: 'abandoned' };
    }
    if (approached === 'failed') return passThrough(inner, request, context, 'unreadable', options);
    context.timings.holdMs += approached.waitedMs;
    countFlight(approached, options.metrics);
    try {
      return await send(inner, request, context, target, approached, bans, advise, options);
    } finally {
      approached.lead?.failed(); // without effect once it has landed
    }
  };
}

const UNREADABLE: CacheTarget = { kind: 'none', reason: 'unreadable' };

async function approachSafely(
  target: Target,
  settings: CacheSettings,
  { id }: GatewayRequest,
  context: Context,
  bans: ShapeBans,
  options: PromptCacheOptions,
): Promise<Approach | 'abandoned' | 'failed'> {
  try {
    return (await approach(target, settings, context, { ...options, bans })) ?? 'abandoned';
  } catch (error) {
    options.onInternalError(error, id);
    return 'failed';
  }
}

async function passThrough(
  inner: Service,
  request: GatewayRequest,
  context: Context,
  reason: NoTargetReason,
  { metrics, tenantLabels }: PromptCacheOptions,
): Promise<Outcome> {
  const watch: AnswerWatch = { ...NO_WATCH, cacheHeader: (usage) => renderReport(untouchedReport(reason, usage)) };
  const outcome = await inner(request, { ...context, watch });
  if (outcome.kind === 'answered' && outcome.usage) {
    countReport(metrics, tenantLabels.of(context.tenant.id), untouchedReport(reason, outcome.usage));
  }
  return outcome;
}

async function send(
  inner: Service,
  request: GatewayRequest,
  context: Context,
  target: Target,
  approached: Approach,
  bans: ShapeBans,
  advise: Advice,
  options: PromptCacheOptions,
): Promise<Outcome> {
  const { metrics } = options;
  const sent = { ...request };
  if (target.mode === 'auto') sent.body = marked(request.body, target, approached.marks);
  const isTouched = sent.body !== request.body;
  const onContent: Context['onContent'] = (messageId) => {
    releaseBody(sent);
    context.onContent(messageId);
  };
  const book = advise(() => openBook(target, approached, options), null);
  if (target.mode === 'auto') countBreakpoints(metrics, target, approached.marks);
  const watch: AnswerWatch = {
    cacheHeader: (usage) => advise(() => (book ? renderReport(book.report(usage)) : 'off'), 'off'),
    onContent: (usage) => advise(() => book?.settle(usage), undefined),
    onSend() {
      approached.lead?.sent();
      stopPresuming();
      stopPresuming = presumeInTime(target, approached, () => advise(() => book?.presume(), undefined), options);
    },
  };
  const expectedInputTokens = expectedInput(approached);
  let stopPresuming = (): void => {};
  try {
    let outcome = await inner(sent, { ...context, expectedInputTokens, onContent, watch });
    if (outcome.kind === 'held' && isTouched && outcome.status === 400 && speaksOfMarkers(outcome.body)) {
      outcome = await askAgain();
    }
    if (book) advise(() => finish(outcome, target, approached, book, context, options), undefined);
    return outcome;
  } finally {
    stopPresuming();
  }

  /** A 400 that names what we added: asked once more with the caller's bytes. It was ours if those fare better. */
  async function askAgain(): Promise<Outcome> {
    advise(() => book?.withdraw(), undefined);
    metrics.count('slipstream_retries_total', { upstream: context.routed?.upstream.id ?? '', reason: 'cache_control' });
    const attempt = { ...context.attempt, retryOf: null }; // it is counted here
    const again = await inner(request, { ...context, attempt, expectedInputTokens, watch });
    if (again.kind !== 'held' || again.status !== 400) bans.add(approached.shape);
    return again;
  }
}

/** What is not read from the cache counts against the upstream's tokens per minute (docs: rate limits, cache-aware ITPM). */
function expectedInput({ plan }: Approach): number {
  const { uncachedTokens, write5mTokens, write1hTokens } = plan.expected;
  return uncachedTokens + write5mTokens + write1hTokens;
}

/** How much longer than usual an answer in one piece is given to have begun, which nobody sees. */
const PRESUMED_AFTER = 1.5;

function presumeInTime(target: Target, { plan, lead }: Approach, presume: () => void, { clock }: PromptCacheOptions) {
  if (target.isStream || !lead) return () => {};
  const { write5mTokens, write1hTokens, uncachedTokens } = plan.expected;
  return clock.after(PRESUMED_AFTER * prefillMs(write5mTokens + write1hTokens + uncachedTokens), presume);
}

function finish(
  outcome: Outcome,
  target: Target,
  { plan, marks, role }: Approach,
  book: CacheBook,
  context: Context,
  options: PromptCacheOptions,
): void {
  const { metrics, tenantLabels } = options;
  const usage = outcome.kind === 'answered' ? outcome.usage : null;
  // An answer may be whole without any content (a refusal): it has begun all the same.
  if (usage && outcome.kind === 'answered' && outcome.end === 'complete') book.settle(usage);
  book.close();
  if (!usage) return;
  const tenant = tenantLabels.of(context.tenant.id);
  const report = book.report(usage);
  countReport(metrics, tenant, report);
  context.notes.cache = toStory(report, target, plan, marks, role);
  noteForAdvice(target, usage, options);
  const savingUsd = target.mode === 'observe' ? observedSavingUsd(target.model, usage, plan.expected) : null;
  if (savingUsd === null) return;
  const labels = { tenant, model: modelLabel(target.model) };
  metrics.adjust('slipstream_observed_saving_usd_total', labels, savingUsd);
  metrics.count('slipstream_observed_gain_usd_total', labels, Math.max(0, savingUsd));
  metrics.count('slipstream_observed_loss_usd_total', labels, Math.max(0, -savingUsd));
}

/** Once a request: a call that failed and is made again is no second one with the same prompt. */
function noteForAdvice(target: Target, usage: TokenUsage, { clock, prefixes, volatile, scale }: PromptCacheOptions) {
  const { model, prefix, view } = target;
  const nowMs = clock.nowMs();
  prefixes.note(target, usage, nowMs);
  volatile.record({ tenant: view.tenant, model, prefix, tokensPerByte: scale.tokensPerByte(model), nowMs });
}

function marked(body: GatewayRequest['body'], { prefix }: Target, marks: Approach['marks']): GatewayRequest['body'] {
  if (marks.length === 0 || !(body instanceof Uint8Array)) return body;
  const insertions = marks.flatMap(({ at, ttl }) => {
    const position = prefix.positions[at];
    return position?.markable ? insertionsFor(position, ttl) : [];
  });
  return insertions.length > 0 ? splice(body, insertions) : body;
}

/** Wordings differ and change; all of them name the field, or the block whose prefix they say has changed. */
const OUR_REFUSALS = ['cache_control', 'bound to a different conversation'];

function speaksOfMarkers(body: Uint8Array): boolean {
  const text = new TextDecoder().decode(body);
  return OUR_REFUSALS.some((words) => text.includes(words));
}

function countFlight({ role, ending, waitedMs }: Approach, metrics: Metrics): void {
  if (role === 'none') return;
  metrics.count('slipstream_single_flight_total', { role, outcome: ending });
  if (role !== 'leader') {
    metrics.observe('slipstream_single_flight_hold_seconds', { role, outcome: ending }, waitedMs / 1000);
  }
}
