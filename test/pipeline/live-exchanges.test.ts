import { describe, expect, it } from 'vitest';
import { createLiveExchanges } from '../../src/pipeline/live-exchanges.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { contextOf, requestOf } from './scripted.ts';

const context = () => contextOf(createFakeClock());
const idsOf = (live: ReturnType<typeof createLiveExchanges>, most = 10) => live.list(most).map(({ id }) => id);

describe('the exchanges that run', () => {
  it('are listed in the order of their arrival, as many as asked for', () => {
    const live = createLiveExchanges();
    for (const id of ['a', 'b', 'c']) live.enter(requestOf({ id }), context());
    expect([live.count, idsOf(live, 2)]).toEqual([3, ['a', 'b']]);
  });

  it('are gone when they have left, once, and nobody else is', () => {
    const live = createLiveExchanges();
    const leave = live.enter(requestOf({ id: 'a' }), context());
    live.enter(requestOf({ id: 'a' }), context()); // the same id, as in no real life
    leave();
    leave();
    expect([live.count, idsOf(live)]).toEqual([1, ['a']]);
  });

  it('hold neither the request nor its body', () => {
    const live = createLiveExchanges();
    live.enter(requestOf({ body: new TextEncoder().encode('a prompt'), headers: { 'x-api-key': 'a key' } }), context());
    expect(Object.keys(live.list(1)[0] ?? {})).toEqual([
      'id',
      'tenant',
      'operation',
      'model',
      'receivedAtMs',
      'timings',
      'notes',
    ]);
  });
});
