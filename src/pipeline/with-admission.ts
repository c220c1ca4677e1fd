import type { Outcome } from '../core/exchange.ts';
import type { LimitSignal } from '../core/limit.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { TenantLabels } from '../metrics/labels.ts';
import type { SlotGrant, Slots } from '../state/slots.ts';
import type { Layer } from './service.ts';

export interface AdmissionOptions {
  readonly slots: Slots;
  readonly metrics: Metrics;
  readonly tenantLabels: TenantLabels;
}

/**
 * A tenant's concurrency. The lease spans the inner service, hence the whole answer. Only generation takes a slot:
 * token counts come 25 at once from one Claude Code command and cost nothing.
 */
export function withAdmission({ slots, metrics, tenantLabels }: AdmissionOptions): Layer {
  return (inner) => async (request, context) => {
    if (request.operation !== 'messages') return inner(request, context);
    const startedAtMs = context.clock.nowMs();
    const grant = await slots.acquire(context.tenant.id, context.tenant.slots, context.signal);
    const waitedMs = context.clock.nowMs() - startedAtMs;
    context.timings.queueMs = waitedMs;
    metrics.observe('slipstream_queue_wait_seconds', { tenant: tenantLabels.of(context.tenant.id) }, waitedMs / 1000);
    if (grant.kind !== 'granted') return refusalOf(grant);
    let signal: LimitSignal = 'ignored';
    try {
      const outcome = await inner(request, context);
      signal = signalOf(outcome);
      return outcome;
    } finally {
      grant.lease.release(signal);
    }
  };
}

function refusalOf(grant: Exclude<SlotGrant, { kind: 'granted' }>): Outcome {
  if (grant.kind === 'abandoned') return { kind: 'abandoned' };
  const retryAfterSeconds = Math.max(1, Math.ceil(grant.retryAfterMs / 1000));
  const code = grant.kind === 'full' ? 'queue_full' : 'queue_timeout';
  return { kind: 'refused', refusal: { code, retryAfterSeconds } };
}

function signalOf(outcome: Outcome): LimitSignal {
  if (outcome.kind !== 'answered') return 'ignored';
  if (outcome.status === 429 || outcome.status === 529) return 'dropped';
  return outcome.end === 'complete' ? 'success' : 'ignored';
}
