import { describe, expect, it } from 'vitest';
import { createErrand } from '../../src/worker/errand.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { createRequestTimers } from './request-timers.ts';

function createStage() {
  const clock = createFakeClock();
  const requests = createRequestTimers(clock);
  const runsAtMs: number[] = [];
  const errand = createErrand({
    clock: requests.clock,
    waitUntil: () => {},
    afterMs: 100,
    run: async () => void runsAtMs.push(clock.nowMs()),
  });
  return { clock, errand, runsAtMs, endRequests: requests.endRequests };
}

describe('an errand', () => {
  it('is done once, a moment after the first wanted it', async () => {
    const { clock, errand, runsAtMs } = createStage();
    const startedAtMs = clock.nowMs();
    errand.want();
    await clock.advance(60);
    errand.want();
    await clock.advance(1_000);
    expect(runsAtMs).toEqual([startedAtMs + 100]);
  });

  it('that was done at once is wanted anew afterwards', async () => {
    const { clock, errand, runsAtMs } = createStage();
    errand.want();
    await errand.run();
    expect(runsAtMs).toHaveLength(1);
    errand.want();
    await clock.advance(100);
    expect(runsAtMs.length).toBeGreaterThan(1);
  });

  it('is taken over when whoever had it is gone', async () => {
    const { clock, errand, runsAtMs, endRequests } = createStage();
    errand.want();
    endRequests();
    await clock.advance(900);
    errand.want();
    await clock.advance(200);
    expect(runsAtMs).toEqual([]);
    errand.want();
    await clock.advance(100);
    expect(runsAtMs).toHaveLength(1);
  });
});
