import { describe, expect, it } from 'vitest';
import { entryOf, fleetOf, takeOut } from './fleet-under-test.ts';

const ids = (members: readonly { upstream: { id: string } }[]): string[] => members.map(({ upstream }) => upstream.id);

describe('the fleet', () => {
  it('gives those of a tenant’s upstreams that exist, in the tenant’s order', () => {
    const fleet = fleetOf(entryOf('a'), entryOf('b'), entryOf('c'));
    expect(ids(fleet.members(['c', 'gone', 'a']))).toEqual(['c', 'a']);
    expect(ids(fleet.all)).toEqual(['a', 'b', 'c']);
  });

  it('keeps through a reload what it has learned of an upstream, and serves its new settings', () => {
    const fleet = fleetOf(entryOf('a'), entryOf('b'));
    takeOut(fleet, 'a', 0);
    fleet.replace([entryOf('a', { cacheDomain: 'moved' }), entryOf('c')]);
    expect(ids(fleet.all)).toEqual(['a', 'c']);
    const [a] = fleet.members(['a']);
    expect([a?.breaker.state(0), a?.cacheDomain]).toEqual(['open', 'moved']);
  });

  it('starts with a clean breaker for a new credential', () => {
    const fleet = fleetOf(entryOf('a'));
    takeOut(fleet, 'a', 0, 'credential_refused');
    fleet.replace([entryOf('a', {}, 'another key')]);
    expect(fleet.members(['a'])[0]?.breaker.state(0)).toBe('closed');
  });

  it('forgets an upstream that is taken out of the settings', () => {
    const fleet = fleetOf(entryOf('a'));
    takeOut(fleet, 'a', 0);
    fleet.replace([]);
    fleet.replace([entryOf('a')]);
    expect(fleet.members(['a'])[0]?.breaker.state(0)).toBe('closed');
  });
});
