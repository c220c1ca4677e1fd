import { describe, expect, it } from 'vitest';
import { listAnswer, readListQuery } from '../../src/ingress/object-list.ts';

describe('the query of a list', () => {
  it('asks for the newest 20 where it says nothing', () => {
    const nothing = { limit: 20, from: null, ids: null, isBeta: false };
    expect(readListQuery('/v1/files')).toEqual(nothing);
    expect(readListQuery('/v1/files?limit=&after_id=&page=')).toEqual(nothing);
  });

  it.each([
    ['limit=3', 3],
    ['limit=1000', 50],
    ['limit=2.9', 2],
    ['limit=0', 20],
    ['limit=-1', 20],
    ['limit=many', 20],
  ])('%s asks for %i', (query, limit) => expect(readListQuery(`/v1/files?${query}`).limit).toBe(limit));

  it.each([
    ['after_id=a', { direction: 'older', id: 'a' }],
    ['page=a', { direction: 'older', id: 'a' }],
    ['before_id=a', { direction: 'newer', id: 'a' }],
  ])('%s says where it begins', (query, from) => expect(readListQuery(`/v1/files?${query}`).from).toEqual(from));

  it('may name ids, in any of the ways that clients write lists, each once and at most a hundred', () => {
    expect(readListQuery('/v1/files?ids=a&ids=b,a&ids[]=c').ids).toEqual(['a', 'b', 'c']);
    expect(
      readListQuery(`/v1/files?${Array.from({ length: 200 }, (_, at) => `ids=${at}`).join('&')}`).ids,
    ).toHaveLength(100);
  });
});

describe('a list', () => {
  const object = (id: string) => ({ id, bytes: new TextEncoder().encode(`{"id": "${id}"}`) });
  const text = (...parts: Parameters<typeof listAnswer>): string => new TextDecoder().decode(listAnswer(...parts));

  it('has the objects as the upstream wrote them', () => {
    expect(text('batches', [object('a'), object('b')], true)).toBe(
      '{"data":[{"id": "a"},{"id": "b"}],"has_more":true,"first_id":"a","last_id":"b"}',
    );
  });

  it('of files names the next page, too', () => {
    expect(JSON.parse(text('files', [object('a')], true))).toMatchObject({ next_page: 'a' });
    expect(JSON.parse(text('files', [object('a')], false))).toMatchObject({ next_page: null });
  });

  it('of nothing is a list', () => {
    expect(text('batches', [], false)).toBe('{"data":[],"has_more":false,"first_id":null,"last_id":null}');
  });
});
