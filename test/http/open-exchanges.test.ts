import { beforeEach, describe, expect, it } from 'vitest';
import { createOpenExchanges, type OpenExchanges } from '../../src/http/open-exchanges.ts';

let exchanges: OpenExchanges;
let stopped: string[];
beforeEach(() => {
  exchanges = createOpenExchanges();
  stopped = [];
});

const exchange = (name: string) => ({ stop: (reason: string) => void stopped.push(`${name}: ${reason}`) });

describe('open exchanges', () => {
  it('are counted until they are over', () => {
    const close = exchanges.add(exchange('a'));
    exchanges.add(exchange('b'));
    expect(exchanges.count).toBe(2);
    close();
    close();
    expect(exchanges.count).toBe(1);
  });

  it('run on while the process drains', () => {
    exchanges.add(exchange('a'));
    exchanges.startDraining();
    exchanges.add(exchange('b'));
    expect([exchanges.isDraining, exchanges.count, stopped]).toEqual([true, 2, []]);
  });

  it('tell what has no end of its own when the process drains, or is stopped at once', () => {
    const { draining, stopped: stopping } = exchanges;
    exchanges.startDraining();
    expect([draining.aborted, stopping.aborted]).toEqual([true, false]);
    const hurried = createOpenExchanges();
    hurried.stopAll();
    expect([hurried.draining.aborted, hurried.stopped.aborted]).toEqual([true, true]);
  });

  it('are all stopped when time is up, but for those that are over', () => {
    exchanges.add(exchange('a'));
    exchanges.add(exchange('b'))();
    exchanges.add(exchange('c'));
    expect(exchanges.stopAll()).toBe(2);
    expect(stopped).toEqual(['a: draining', 'c: draining']);
  });

  it('that begin after that are stopped as they begin', () => {
    expect(exchanges.stopAll()).toBe(0);
    exchanges.add(exchange('late'));
    expect([exchanges.isDraining, stopped]).toEqual([true, ['late: draining']]);
  });

  it('are not let go on by being told to drain once more', () => {
    exchanges.stopAll();
    exchanges.startDraining();
    exchanges.add(exchange('late'));
    expect(stopped).toEqual(['late: draining']);
  });
});
