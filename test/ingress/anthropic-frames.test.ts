import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import { createSseReader } from '../../src/core/sse.ts';
import { errorBody, errorFrame, PING_FRAME } from '../../src/ingress/anthropic-frames.ts';

function eventsOf(bytes: Uint8Array): [type: string, data: unknown][] {
  const events: [string, unknown][] = [];
  const reader = createSseReader(
    () => true,
    (type, data) => events.push([type, JSON.parse(data)]),
  );
  reader.push(bytes);
  expect(reader.atBoundary).toBe(true);
  return events;
}

describe('the gateway’s own words in Anthropic’s dialect', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('an error body of %s has type, message and request id', (code) => {
    expect(JSON.parse(errorBody({ code }, 'slip_1'))).toEqual({
      type: 'error',
      error: { type: ERRORS[code].type, message: ERRORS[code].message },
      request_id: 'slip_1',
    });
  });

  it('an error frame is one whole event, whatever line breaks its detail has', () => {
    const refusal = { code: 'upstream_broken', detail: 'a\n\nevent: message_stop\r\rb "c"' } as const;
    const body: unknown = JSON.parse(errorBody(refusal, 'slip_1'));
    expect(eventsOf(errorFrame(refusal, 'slip_1'))).toEqual([['error', body]]);
  });

  it('a ping frame is one whole event', () => {
    expect(eventsOf(PING_FRAME)).toEqual([['ping', { type: 'ping' }]]);
  });
});
