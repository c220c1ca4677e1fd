import type { UpstreamFailure } from '../core/attempt.ts';
import type { Clock } from '../core/clock.ts';
import type { GatewayRequest, Outcome } from '../core/exchange.ts';
import type { RetryBudget } from '../core/failures/retry-budget.ts';
import { decideRetry, type RetryDecision } from '../core/failures/retry-policy.ts';
import { failureOf } from './attempt-result.ts';
import { FIRST_ATTEMPT, type Attempt, type Context, type Layer } from './service.ts';
import { noteWait, wait } from './wait.ts';

/**
 * Asks again what failed before its first content: elsewhere where that may help, else later. What the caller sees in the
 * end is the upstream's own answer; that we have done what can be done is said by `x-should-retry: false`, so that its
 * SDK does not start all over.
 */
export interface RetryOptions {
  readonly clock: Clock;
  readonly retryBudget: Pick<RetryBudget, 'noteCall' | 'take'>;
  /** How often one request is asked again; 0: never. */
  readonly maxRetries: () => number;
  /** In [0, 1), as Math.random. */
  readonly random: () => number;
  /** Whether another upstream than these could take the request now. */
  readonly hasElsewhere: (request: GatewayRequest, context: Context, failedAt: ReadonlySet<string>) => boolean;
}

/** Out of budget, a retry waits for its turn this long at a time. */
const BUDGET_TURN_MS = 500;
/** And no longer than this since the first call. */
const BUDGET_PATIENCE_MS = 10_000;

const SPENT = { 'x-should-retry': 'false' };

export function withRetry(options: RetryOptions): Layer {
  return (inner) => async (request, context) => {
    const { clock, retryBudget } = options;
    let attempt = FIRST_ATTEMPT;
    let upstreamsWord: Held | null = null;
    retryBudget.noteCall(clock.nowMs());
    for (let retries = 0; ; retries++) {
      const callsBefore = context.notes.attempts.length;
      const outcome = await inner(request, { ...context, attempt });
      const call = context.notes.attempts.slice(callsBefore).at(-1); // none: no upstream could be asked
      if (outcome.kind === 'held') upstreamsWord = outcome;
      // A retry that could not be made says less than the upstream did before.
      const shown = !call && outcome.kind === 'refused' && upstreamsWord ? upstreamsWord : outcome;
      const failure = outcome.kind === 'answered' ? null : failureOf(outcome); // what has been sent is not taken back
      if (!failure || !isReplayable(request) || context.signal.aborted) return settled(shown, shown !== outcome);
      attempt = call ? afterFailure(attempt, call.upstream, failure) : attempt;
      const decision = decide(failure, retries, attempt, request, context, options);
      if (decision.kind === 'give_up') return settled(shown, decision.isSpent);
      const turn = await noteWait('pause', context, untilTurn(decision.afterMs, call !== undefined, context, options));
      if (turn === 'abandoned') return { kind: 'abandoned' };
      if (turn === 'none') return settled(shown, true);
    }
  };
}

type Held = Extract<Outcome, { kind: 'held' }>;

function decide(
  failure: UpstreamFailure,
  retries: number,
  { failedAt }: Attempt,
  request: GatewayRequest,
  context: Context,
  options: RetryOptions,
): RetryDecision {
  const nowMs = options.clock.nowMs();
  return decideRetry({
    failure,
    retries,
    maxRetries: options.maxRetries(),
    elapsedMs: nowMs - (context.timings.firstSentAtMs ?? nowMs),
    hasElsewhere: options.hasElsewhere(request, context, failedAt),
    patienceMs: request.receivedAtMs + context.tenant.slots.maxWaitMs - nowMs,
    random: options.random(),
  });
}

/**
 * A body that was not kept is gone with the first call. Generation may be asked for twice, as SDKs do; what else changes
 * something upstream (a batch that is cancelled, a file deleted) may have been done by the call that failed.
 */
function isReplayable({ body, operation, method }: GatewayRequest): boolean {
  if (body !== null && !(body instanceof Uint8Array)) return false;
  return operation === 'messages' || operation === 'count_tokens' || method === 'GET' || method === 'HEAD';
}

function afterFailure({ failedAt }: Attempt, upstream: string, failure: UpstreamFailure): Attempt {
  return { failedAt: new Set([...failedAt, upstream]), retryOf: { upstream, reason: failure.kind } };
}

/** What was no call takes nothing from the budget. */
async function untilTurn(
  afterMs: number,
  wasCalled: boolean,
  context: Context,
  options: RetryOptions,
): Promise<'taken' | 'none' | 'abandoned'> {
  if (!(await wait(options.clock, afterMs, context.signal))) return 'abandoned';
  return wasCalled ? untilBudget(context, options) : 'taken';
}

/** Waits until the budget has one left, within bounds. */
async function untilBudget(
  context: Context,
  { clock, retryBudget }: RetryOptions,
): Promise<'taken' | 'none' | 'abandoned'> {
  const untilMs = (context.timings.firstSentAtMs ?? clock.nowMs()) + BUDGET_PATIENCE_MS;
  while (!retryBudget.take(clock.nowMs())) {
    if (clock.nowMs() >= untilMs) return 'none';
    if (!(await wait(clock, BUDGET_TURN_MS, context.signal))) return 'abandoned';
  }
  return 'taken';
}

async function settled(outcome: Outcome, isSpent: boolean): Promise<Outcome> {
  if (outcome.kind === 'held') return outcome.send(isSpent ? SPENT : {});
  if (outcome.kind !== 'refused' || !isSpent) return outcome;
  return { ...outcome, refusal: { ...outcome.refusal, isFinal: true } };
}

/** The same rules for a call that goes on with a stream that broke: at the same upstream, in the same slot. */
export async function mayGoOn(
  failure: UpstreamFailure,
  calls: number,
  request: GatewayRequest,
  context: Context,
  options: Omit<RetryOptions, 'hasElsewhere'>,
): Promise<boolean> {
  const stayHere: RetryOptions = { ...options, hasElsewhere: () => false };
  const decision = decide(failure, calls, FIRST_ATTEMPT, request, context, stayHere);
  if (decision.kind === 'give_up' || !(await wait(options.clock, decision.afterMs, context.signal))) return false;
  return (await untilBudget(context, stayHere)) === 'taken';
}
