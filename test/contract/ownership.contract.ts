import { beforeEach, describe, expect, it } from 'vitest';
import type { Listed, ObjectPage, Ownership } from '../../src/state/ownership.ts';
import { useStages, type ContractStage, type MakeStage } from './stage.ts';

const from = (direction: 'older' | 'newer', id: string, limit = 2): ObjectPage => ({ limit, from: { direction, id } });
const newest = (limit: number): ObjectPage => ({ limit, from: null });

function idsOf(listed: Listed): readonly string[] {
  return listed.kind === 'listed' ? listed.objects.map(({ id }) => id) : [listed.kind];
}

/** The promises of `Ownership`: a tenant's book has what the tenant has claimed, all of it, and nothing of anybody else's. */
export function ownershipContract(name: string, makeStage: MakeStage<Ownership>): void {
  describe(name, () => {
    const make = useStages(makeStage);
    let stage: ContractStage<Ownership>;
    let here: Ownership;
    let there: Ownership;
    beforeEach(async () => {
      stage = await make();
      [here, there] = stage.ports;
    });

    const claimAll = async (tenantId: string, ids: readonly string[]): Promise<void> => {
      for (const id of ids) await here.claim(tenantId, 'files', { id, upstreamId: `of-${id}` });
    };

    it('what is claimed is its tenant’s at once, through whichever port, and its upstream is told', async () => {
      await here.claim('acme', 'batches', { id: 'b1', upstreamId: 'main' });
      expect(await here.find('acme', 'batches', 'b1')).toEqual({ kind: 'owned', upstreamId: 'main' });
      expect(await there.find('acme', 'batches', 'b1')).toEqual({ kind: 'owned', upstreamId: 'main' });
    });

    it('is told to nobody else in other words than what never was', async () => {
      await here.claim('acme', 'files', { id: 'f1', upstreamId: 'main' });
      const never = await here.find('globex', 'files', 'f2');
      expect(never).toEqual({ kind: 'not_owned' });
      expect(await here.find('globex', 'files', 'f1')).toEqual(never);
      expect(await here.find('acme', 'batches', 'f1')).toEqual(never);
      expect(await here.list('globex', 'files', from('older', 'f1'))).toEqual({ kind: 'not_owned' });
      expect(await here.list('globex', 'files', newest(9))).toEqual({ kind: 'listed', objects: [], hasMore: false });
    });

    it('keeps books apart by a tenant, whatever is in its name', async () => {
      const names = ['a', 'a:b', 'b', '{a}', 'a}b', 'ä', ' '];
      for (const tenant of names) await here.claim(tenant, 'files', { id: 'f', upstreamId: `of ${tenant}` });
      for (const tenant of names) {
        expect(await there.find(tenant, 'files', 'f')).toEqual({ kind: 'owned', upstreamId: `of ${tenant}` });
      }
    });

    it('what is forgotten is nobody’s, for everyone, and in no list', async () => {
      await claimAll('acme', ['f1', 'f2', 'f3']);
      await there.forget('acme', 'files', 'f2');
      expect(await there.find('acme', 'files', 'f2')).toEqual({ kind: 'not_owned' });
      expect(await here.find('acme', 'files', 'f2')).toEqual({ kind: 'not_owned' });
      expect(idsOf(await here.list('acme', 'files', newest(9)))).toEqual(['f3', 'f1']);
      await here.forget('acme', 'files', 'never-there');
    });

    it('lists the newest first, with their upstreams, and says whether there are more', async () => {
      await claimAll('acme', ['f1', 'f2', 'f3']);
      const objects = [
        { id: 'f3', upstreamId: 'of-f3' },
        { id: 'f2', upstreamId: 'of-f2' },
      ];
      expect(await there.list('acme', 'files', newest(2))).toEqual({ kind: 'listed', objects, hasMore: true });
      expect(await here.list('acme', 'files', newest(3))).toMatchObject({ hasMore: false });
    });

    it('goes on in either direction from an object, newest first all the same', async () => {
      await claimAll('acme', ['f1', 'f2', 'f3', 'f4', 'f5', 'f6']);
      expect(await here.list('acme', 'files', from('older', 'f5'))).toMatchObject({ hasMore: true });
      expect(idsOf(await here.list('acme', 'files', from('older', 'f5')))).toEqual(['f4', 'f3']);
      expect(idsOf(await here.list('acme', 'files', from('older', 'f3')))).toEqual(['f2', 'f1']);
      expect(await here.list('acme', 'files', from('older', 'f3'))).toMatchObject({ hasMore: false });
      expect(idsOf(await here.list('acme', 'files', from('newer', 'f3')))).toEqual(['f5', 'f4']);
      expect(await here.list('acme', 'files', from('newer', 'f3'))).toMatchObject({ hasMore: true });
      expect(idsOf(await here.list('acme', 'files', from('newer', 'f5')))).toEqual(['f6']);
      expect(idsOf(await here.list('acme', 'files', from('newer', 'f6')))).toEqual([]);
    });

    it('a page from an object that is not there is told from an empty one', async () => {
      await claimAll('acme', ['f1']);
      expect(await here.list('acme', 'files', from('older', 'f1'))).toMatchObject({ kind: 'listed', objects: [] });
      expect(await here.list('acme', 'files', from('older', 'f2'))).toEqual({ kind: 'not_owned' });
    });

    it('claimed again changes nothing: neither its upstream nor its place', async () => {
      await claimAll('acme', ['f1', 'f2']);
      await there.claim('acme', 'files', { id: 'f1', upstreamId: 'another' });
      expect(await there.find('acme', 'files', 'f1')).toEqual({ kind: 'owned', upstreamId: 'of-f1' });
      expect(idsOf(await here.list('acme', 'files', newest(9)))).toEqual(['f2', 'f1']);
    });

    it('loses none of 200 that are claimed at once, and lists each of them once', async () => {
      const ids = Array.from({ length: 200 }, (_, at) => `f${at}`);
      await Promise.all(
        ids.map((id, at) => (at % 2 ? here : there).claim('acme', 'files', { id, upstreamId: 'main' })),
      );
      const listed = idsOf(await here.list('acme', 'files', newest(500)));
      expect(listed.toSorted()).toEqual(ids.toSorted());
      expect(new Set(listed).size).toBe(200);
    });
  });
}

const DAY_MS = 24 * 3_600_000;

/** Only where a month can be made to pass: on a clock that the test moves. */
export function claimLifeContract(name: string, makeStage: MakeStage<Ownership>): void {
  describe(name, () => {
    const make = useStages(makeStage);

    it('a batch is its tenant’s for 29 days, and a file until it is forgotten', async () => {
      const stage = await make();
      const [port] = stage.ports;
      await port.claim('acme', 'files', { id: 'f1', upstreamId: 'main' });
      await port.claim('acme', 'batches', { id: 'b1', upstreamId: 'main' });
      await stage.pass(29 * DAY_MS - 1);
      await port.claim('acme', 'batches', { id: 'b2', upstreamId: 'main' });
      expect(await port.find('acme', 'batches', 'b1')).toMatchObject({ kind: 'owned' });
      await stage.pass(1);
      expect(await port.find('acme', 'batches', 'b1')).toEqual({ kind: 'not_owned' });
      expect(idsOf(await port.list('acme', 'batches', newest(9)))).toEqual(['b2']);
      expect(await port.list('acme', 'batches', from('older', 'b1'))).toEqual({ kind: 'not_owned' });
      await stage.pass(1_000 * DAY_MS);
      expect(await port.find('acme', 'files', 'f1')).toMatchObject({ kind: 'owned' });
    });
  });
}
