import { entryOf, type Refusal } from '../core/errors.ts';
import { errorBody } from '../ingress/anthropic-frames.ts';

/** An `x-slipstream-id`: of every request, also of one that was refused before it could be read. */
export function newRequestId(): string {
  return `slip_${crypto.randomUUID().replaceAll('-', '')}`;
}

/** A refusal of the gateway's own, in the caller's dialect, with what its SDK needs to decide about asking again. */
export function renderRefusal(refusal: Refusal, requestId: string): Response {
  const { status, retry } = entryOf(refusal);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'x-slipstream-id': requestId,
    'x-should-retry': String(retry && refusal.isFinal !== true),
  };
  if (refusal.retryAfterSeconds !== undefined) headers['retry-after'] = String(refusal.retryAfterSeconds);
  if (refusal.allow !== undefined) headers['allow'] = refusal.allow;
  if (CLOSES_CONNECTION.has(refusal.code)) headers['connection'] = 'close';
  return new Response(errorBody(refusal, requestId), { status, headers });
}

/** After these the rest of the request is still on its way, or nothing more should be sent here. */
const CLOSES_CONNECTION: ReadonlySet<Refusal['code']> = new Set(['body_too_large', 'request_stalled', 'draining']);
