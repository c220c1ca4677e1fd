import type { Outcome } from '../core/exchange.ts';
import type { SlotGrant, Slots } from '../state/slots.ts';
import type { Layer } from './service.ts';
import { noteWait } from './wait.ts';

export interface AdmissionOptions {
  readonly slots: Slots;
}

/**
 * A tenant's concurrency. The lease spans the inner service, hence the whole answer. Only generation takes a slot:
 * token counts come 25 at once from one Claude Code command and cost nothing.
 */
export function withAdmission({ slots }: AdmissionOptions): Layer {
  return (inner) => async (request, context) => {
    if (request.operation !== 'messages') return inner(request, context);
    const startedAtMs = context.clock.nowMs();
    const grant = await noteWait(
      'queue',
      context,
      slots.acquire(context.tenant.id, context.tenant.slots, context.signal),
    );
    context.timings.queueMs = context.clock.nowMs() - startedAtMs;
    if (grant.kind !== 'granted') return refusalOf(grant);
    try {
      return await inner(request, context);
    } finally {
      grant.lease.release();
    }
  };
}

function refusalOf(grant: Exclude<SlotGrant, { kind: 'granted' }>): Outcome {
  if (grant.kind === 'abandoned') return { kind: 'abandoned' };
  const code = grant.kind === 'full' ? 'queue_full' : 'queue_timeout';
  return { kind: 'refused', refusal: { code, retryAfterSeconds: wholeSeconds(grant.retryAfterMs) } };
}

/** As `retry-after` is written: at least one second. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
