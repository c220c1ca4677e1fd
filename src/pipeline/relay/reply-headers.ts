import type { GatewayRequest, ResponseHead } from '../../core/exchange.ts';
import { forwardedResponseHeaders } from '../../core/headers.ts';
import type { Context } from '../service.ts';

/** The upstream's headers, and the three that the gateway adds. */
export function replyHeaders(
  head: ResponseHead,
  request: GatewayRequest,
  context: Context,
  hideRateLimits: boolean,
  cache: string,
): Record<string, string | string[]> {
  const headers = forwardedResponseHeaders(head.headers, hideRateLimits);
  headers['x-slipstream-id'] = request.id;
  headers['x-slipstream-cache'] = cache;
  headers['server-timing'] = serverTiming(context);
  return headers;
}

/** `Server-Timing` (W3C): milliseconds with a tenth. */
function serverTiming({ timings }: Context): string {
  const { queueMs, holdMs, firstSentAtMs, upstreamSentAtMs, upstreamHeadAtMs, overheadMs } = timings;
  const between = (fromMs: number | null, toMs: number | null): number => (toMs ?? 0) - (fromMs ?? toMs ?? 0);
  const metric = (name: string, ms: number): string => `${name};dur=${Math.max(0, ms).toFixed(1)}`;
  const parts = [
    metric('queue', queueMs ?? 0),
    metric('hold', holdMs),
    metric('upstream', between(upstreamSentAtMs, upstreamHeadAtMs)),
    metric('overhead', overheadMs ?? 0),
  ];
  // From the first call to the one that was answered: calls that failed, and the waits between them.
  if (firstSentAtMs !== upstreamSentAtMs) parts.push(metric('retry', between(firstSentAtMs, upstreamSentAtMs)));
  return parts.join(', ');
}
