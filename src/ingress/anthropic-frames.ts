import { entryOf, messageOf, type Refusal } from '../core/errors.ts';

/** What the gateway itself says in Anthropic's dialect: an error body, and the two frames it may add to a stream. */

const encoder = new TextEncoder();

/** As upstream writes it; clients take it for one of upstream's (docs: any number of pings may be interspersed). */
export const PING_FRAME: Uint8Array = encoder.encode('event: ping\ndata: {"type": "ping"}\n\n');

export function errorBody(refusal: Refusal, requestId: string): string {
  return JSON.stringify({
    type: 'error',
    error: { type: entryOf(refusal).type, message: messageOf(refusal) },
    request_id: requestId,
  });
}

/** Ends a stream that cannot be finished: after the head is out, this is the only way left to say so. */
export function errorFrame(refusal: Refusal, requestId: string): Uint8Array {
  return encoder.encode(`event: error\ndata: ${errorBody(refusal, requestId)}\n\n`);
}
