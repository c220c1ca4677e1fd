import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import { renderRefusal } from '../../src/http/refusals.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];

describe('renderRefusal', () => {
  it.each(codes)('gives %s its status, its type and a word about asking again', async (code) => {
    const response = renderRefusal({ code }, 'slip_1');
    expect(response.status).toBe(ERRORS[code].status);
    expect(response.headers.get('x-should-retry')).toBe(String(ERRORS[code].retry));
    expect(response.headers.get('x-slipstream-id')).toBe('slip_1');
    expect(response.headers.has('retry-after')).toBe(false);
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: ERRORS[code].type },
      request_id: 'slip_1',
    });
  });

  it('says how long to wait and what method to use, where that is known', () => {
    const { headers } = renderRefusal({ code: 'method_not_allowed', retryAfterSeconds: 0, allow: 'GET' }, 'slip_1');
    expect([headers.get('retry-after'), headers.get('allow')]).toEqual(['0', 'GET']);
  });

  it.each(codes)('of %s that is final says that asking again is of no use', (code) => {
    expect(renderRefusal({ code, isFinal: true }, 'slip_1').headers.get('x-should-retry')).toBe('false');
  });

  it('closes the connection after what leaves bytes unread or should come elsewhere, and after nothing else', () => {
    const closing = codes.filter((code) => renderRefusal({ code }, 'slip_1').headers.get('connection') === 'close');
    expect(closing).toEqual(['request_stalled', 'body_too_large', 'draining']);
  });
});
