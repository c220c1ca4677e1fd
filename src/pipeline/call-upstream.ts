import type { Clock } from '../core/clock.ts';
import { CREDENTIAL_HEADERS, forwardedRequestHeaders } from '../core/headers.ts';
import type { TenantLabels } from '../metrics/labels.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { createRelay } from './relay.ts';
import type { Service } from './service.ts';
import type { AnswerReceiver, UpstreamEnd } from './upstream.ts';

export interface CallUpstreamOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tenantLabels: TenantLabels;
}

/** The innermost service: one call to one upstream, its answer relayed while it arrives. */
export function callUpstream({ clock, metrics, tenantLabels }: CallUpstreamOptions): Service {
  return async (request, context) => {
    const tenant = tenantLabels.of(context.tenant.id);
    if (!context.routed) throw new Error('a request that was not routed');
    const { upstream, credential } = context.routed;
    const headers = forwardedRequestHeaders(request.headers);
    if (credential === 'own') for (const name of CREDENTIAL_HEADERS) delete headers[name];
    const relay = createRelay(request, context, {
      clock,
      hideRateLimits: credential === 'own',
      onOpenStreams: (by) => metrics.add('slipstream_open_streams', { tenant }, by),
    });
    let status: number | null = null;
    const receiver: AnswerReceiver = {
      head(head, flow) {
        status = head.status;
        relay.head(head, flow);
      },
      chunk: (chunk) => relay.chunk(chunk),
    };
    context.timings.upstreamSentAtMs = clock.nowMs();
    const { method, target, body } = request;
    const end = await upstream.send({ method, target, headers, body, signal: context.signal }, receiver);
    metrics.count('slipstream_upstream_attempts_total', {
      upstream: upstream.id,
      outcome: attemptOutcome(status, end),
    });
    return relay.finish(end);
  };
}

export type AttemptOutcome =
  'ok' | 'rate_limited' | 'overloaded' | 'server_error' | 'network' | 'timeout' | 'client_error' | 'client_abort';

/** How one call went, for the metric: by the head where there was one, else by what failed. */
export function attemptOutcome(status: number | null, end: UpstreamEnd): AttemptOutcome {
  if (status === null) {
    if (end.kind === 'aborted') return 'client_abort';
    return end.kind === 'failed' && end.code === 'upstream_timeout' ? 'timeout' : 'network';
  }
  if (status === 429) return 'rate_limited';
  if (status === 529) return 'overloaded';
  if (status >= 500) return 'server_error';
  if (status >= 400) return 'client_error';
  return end.kind === 'failed' ? 'network' : 'ok';
}
