import type { GatewayRequest, ResponseHead } from '../core/exchange.ts';
import { forwardedResponseHeaders } from '../core/headers.ts';
import type { Context } from './service.ts';

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
  headers['server-timing'] = serverTiming(request, context);
  return headers;
}

/** `Server-Timing` (W3C): milliseconds with a tenth. */
function serverTiming(request: GatewayRequest, { timings }: Context): string {
  const headAtMs = timings.upstreamHeadAtMs ?? 0;
  const sentAtMs = timings.upstreamSentAtMs ?? headAtMs;
  const overheadMs = sentAtMs - request.receivedAtMs - timings.queueMs - timings.holdMs;
  const metric = (name: string, ms: number): string => `${name};dur=${Math.max(0, ms).toFixed(1)}`;
  return [
    metric('queue', timings.queueMs),
    metric('hold', timings.holdMs),
    metric('upstream', headAtMs - sentAtMs),
    metric('overhead', overheadMs),
  ].join(', ');
}
