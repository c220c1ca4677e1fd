import type { AttemptResult } from '../core/attempt.ts';
import type { GatewayRequest, Outcome, ResponseHead } from '../core/exchange.ts';
import { rateLimitClass } from '../core/limits/model-class.ts';
import type { TokenScale } from '../prompt/token-scale.ts';
import type { CapacityGrant, UpstreamCapacity } from '../state/upstream-capacity.ts';
import { attemptResult } from './attempt-result.ts';
import type { Context, Layer } from './service.ts';
import { noteWait } from './wait.ts';
import { wholeSeconds } from './with-admission.ts';

export interface CapacityOptions {
  readonly capacity: UpstreamCapacity;
  readonly scale: TokenScale;
}

/**
 * The upstream's slot: how much it bears at once, who of the tenants is next, and whether its tokens per minute suffice.
 * Held until the last byte, like the tenant's; given back with what the call taught. Only generation takes one.
 */
export function withCapacity({ capacity, scale }: CapacityOptions): Layer {
  return (inner) => async (request, context) => {
    if (request.operation !== 'messages' || !context.routed) return inner(request, context);
    const { tenant, clock, timings, routed } = context;
    const sinceMs = clock.nowMs();
    const asked = capacity.acquire(
      routed.upstream.id,
      {
        tenant: tenant.id,
        weight: tenant.weight,
        modelClass: rateLimitClass(request.model),
        inputTokens: expectedInput(request, context, scale),
        maxWaitMs: Math.max(0, request.receivedAtMs + tenant.slots.maxWaitMs - sinceMs),
      },
      context.signal,
    );
    const grant = await noteWait('queue', context, asked);
    timings.queueMs = (timings.queueMs ?? 0) + clock.nowMs() - sinceMs;
    if (grant.kind !== 'granted') return refusalOf(grant);
    const { lease } = grant;
    let result: AttemptResult = { kind: 'ignored' };
    try {
      // The limits of a caller's own key are that caller's: nothing others share may be steered by them.
      const isShared = routed.credential === 'own';
      const onHead = ({ headers }: ResponseHead): void => lease.head(isShared ? headers : {});
      const outcome = await inner(request, { ...context, onHead });
      result = attemptResult(outcome, timings);
      return outcome;
    } finally {
      lease.release(result);
    }
  };
}

/** Without a plan all of the body counts. */
function expectedInput({ body, model }: GatewayRequest, { expectedInputTokens }: Context, scale: TokenScale): number {
  if (expectedInputTokens !== null) return expectedInputTokens;
  return body instanceof Uint8Array ? body.length * scale.tokensPerByte(model ?? '') : 0;
}

function refusalOf(grant: Exclude<CapacityGrant, { kind: 'granted' }>): Outcome {
  if (grant.kind === 'abandoned') return { kind: 'abandoned' };
  return { kind: 'refused', refusal: { code: 'upstream_busy', retryAfterSeconds: wholeSeconds(grant.retryAfterMs) } };
}
