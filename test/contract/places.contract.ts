import { beforeEach, describe, expect, it } from 'vitest';
import type { Place } from '../../src/core/choose-upstream.ts';
import type { SessionPlaces } from '../../src/state/session-places.ts';
import { useStages, type ContractStage, type MakeStage } from './stage.ts';

const at = (id: string): Place => ({ upstreamId: id, cacheDomain: id, holds: false });

/** The promises of `SessionPlaces` at one replica: the last word counts, each key for itself. */
export function placesContract(name: string, makeStage: MakeStage<SessionPlaces>): void {
  describe(name, () => {
    const make = useStages(makeStage);
    let stage: ContractStage<SessionPlaces>;
    let places: SessionPlaces;
    beforeEach(async () => {
      stage = await make();
      [places] = stage.ports;
    });

    it('a place is unknown until it is remembered, and the last one counts', async () => {
      expect(places.find(1)).toBeNull();
      places.remember(1, at('a'), 'acme');
      places.remember(1, at('b'), 'acme');
      expect(places.find(1)).toStrictEqual(at('b'));
      await stage.remains('the last one counts', () => places.find(1)?.upstreamId === 'b');
      expect(places.find(2)).toBeNull();
    });

    it('is that of its key, for the smallest and the largest of keys', () => {
      const keys = [0, 1, 2 ** 31, 2 ** 52, Number.MAX_SAFE_INTEGER];
      for (const key of keys) places.remember(key, at(`u${key}`), 'acme');
      expect(keys.map((key) => places.find(key)?.upstreamId)).toEqual(keys.map((key) => `u${key}`));
    });

    it('is told as it was remembered, and found by every way to this replica in the same moment', () => {
      const held: Place = { ...at('a'), holds: true };
      places.remember(7, held, 'acme');
      expect(places.find(7)).toStrictEqual(held);
    });
  });
}

/** What an engine of several processes adds: a conversation that comes through another replica finds its place there. */
export function sharedPlacesContract(name: string, makeStage: MakeStage<SessionPlaces>): void {
  describe(name, () => {
    const make = useStages(makeStage);

    it('a place is found through another port soon after it was remembered', async () => {
      const stage = await make();
      const [here, there] = stage.ports;
      here.remember(1, at('a'), 'acme');
      await stage.until('the other knows it', () => there.find(1)?.upstreamId === 'a');
    });
  });
}

const MINUTE_MS = 60_000;

/** Only where an hour can be made to pass: on a clock that the test moves. */
export function placesLifeContract(name: string, makeStage: MakeStage<SessionPlaces>): void {
  describe(name, () => {
    const make = useStages(makeStage);

    it('a place is forgotten after an hour without a request, not before', async () => {
      const stage = await make();
      const [places] = stage.ports;
      places.remember(1, at('a'), 'acme');
      await stage.pass(60 * MINUTE_MS);
      expect(places.find(1)).toStrictEqual(at('a'));
      await stage.pass(1);
      expect(places.find(1)).toBeNull();
    });

    it('is kept by being remembered again, not by being asked for', async () => {
      const stage = await make();
      const [places] = stage.ports;
      places.remember(1, at('a'), 'acme');
      places.remember(2, at('b'), 'acme');
      await stage.pass(40 * MINUTE_MS);
      places.remember(1, at('a'), 'acme');
      places.find(2);
      await stage.pass(40 * MINUTE_MS);
      expect(places.find(1)).toStrictEqual(at('a'));
      expect(places.find(2)).toBeNull();
    });
  });
}
