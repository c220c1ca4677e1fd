import { describe, expect, it } from 'vitest';
import { fileNameIn } from '../../../src/console/page/data/api.ts';
import { tokenInHash } from '../../../src/console/page/data/session-token.ts';
import { hrefOf, parseRoute, queryOf, type Route } from '../../../src/console/page/route.ts';

const ROUTES: readonly Route[] = [
  { view: 'live' },
  { view: 'requests', filter: {} },
  { view: 'requests', filter: { tenant: 'a&b=c', model: 'claude-opus-5', cache: 'miss', fault: 'upstream' } },
  { view: 'story', id: 'req_01/x?y#z' },
  { view: 'prefixes' },
  { view: 'tenants' },
  { view: 'upstreams' },
  { view: 'savings', by: 'day' },
];

describe('addresses of the page', () => {
  it.each(ROUTES)('a link to $view leads back to it', (route) => {
    expect(parseRoute(hrefOf(route))).toEqual(route);
  });

  it.each(['', '#', '#/', '#/no-such-view', '#live', '#/live/more'])('%j is the overview', (hash) => {
    expect(parseRoute(hash)).toEqual({ view: 'live' });
  });

  it('a filter that makes no sense is left out', () => {
    expect(parseRoute('#/requests?cache=lukewarm&fault=moon&tenant=')).toEqual({ view: 'requests', filter: {} });
  });

  it('a stray percent sign is part of an id', () => {
    expect(parseRoute('#/requests/50%')).toEqual({ view: 'story', id: '50%' });
  });

  it('an empty filter asks nothing of the API', () => {
    expect(queryOf({})).toBe('');
    expect(queryOf({ tenant: 'acme' }, { limit: '5' })).toBe('?tenant=acme&limit=5');
  });

  it('a token is found in a fragment and nowhere else in an address', () => {
    expect(tokenInHash('#token=s%20ecret')).toBe('s ecret');
    expect(tokenInHash('#/requests?token=no')).toBeNull();
    expect(tokenInHash('#/requests?tenant=acme&token=no')).toBeNull();
    expect(tokenInHash('')).toBeNull();
  });

  it("a download has the gateway's name for it", () => {
    expect(fileNameIn('attachment; filename="slipstream-savings-2026-11-22.csv"')).toBe(
      'slipstream-savings-2026-11-22.csv',
    );
    expect(fileNameIn(null)).toBeNull();
  });
});
