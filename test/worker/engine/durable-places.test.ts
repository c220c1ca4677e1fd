import { beforeEach, describe, expect, it } from 'vitest';
import type { Place } from '../../../src/core/choose-upstream.ts';
import { createDurablePlaces, type DurablePlaces } from '../../../src/worker/engine/durable-places.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';

const MINUTE_MS = 60_000;
const at = (id: string, holds = false): Place => ({ upstreamId: id, cacheDomain: id, holds });

let clock: FakeClock;
let places: DurablePlaces;
let told: string[];
beforeEach(() => {
  clock = createFakeClock();
  told = [];
  places = createDurablePlaces({
    clock,
    tell(tenant, news) {
      for (const { key, place } of news) told.push(`${tenant}: ${key} at ${place.upstreamId}`);
    },
  });
});

describe('the place of a conversation', () => {
  it('is told when it is learned and when it changes, and not each time it is used', () => {
    for (const id of ['a', 'a', 'b', 'b']) places.remember(1, at(id), 'acme');
    expect(told).toEqual(['acme: 1 at a', 'acme: 1 at b']);
    places.remember(1, at('b', true), 'acme');
    expect(told).toHaveLength(3);
  });

  it('is told again every twenty minutes while it is used, for those who would forget it within the hour', async () => {
    places.remember(1, at('a'), 'acme');
    await clock.advance(19 * MINUTE_MS);
    places.remember(1, at('a'), 'acme');
    expect(told).toHaveLength(1);
    await clock.advance(MINUTE_MS);
    places.remember(1, at('a'), 'acme');
    expect(told).toHaveLength(2);
  });

  it('that was heard of is found, and is not told back', () => {
    places.hear([{ key: 1, place: at('a') }]);
    expect(places.find(1)).toEqual(at('a'));
    places.remember(1, at('a'), 'acme');
    expect(told).toEqual([]);
  });
});
