import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { requestBytes } from '../support/raw-client.ts';
import { WHOLE_STREAM } from './answers.ts';
import { asking, DEADLINE_MS, FINE, onStage, type FaultStage } from './fault-stage.ts';
import { BEFORE_THE_CALL, DURING_THE_CALL, type Phase } from './phases.ts';

/**
 * A clock that is set while a request is under way. The wall clock is for dates only: nothing may come of it. A jump of
 * the monotonic one (a machine that slept) ends waits that are over by it, and breaks no answer that is under way.
 */

const HOUR_MS = 3_600_000;
const SLEPT_MS = 600_000;

const JUMPS: readonly (readonly [name: string, jump: (stage: FaultStage) => void])[] = [
  ['the wall clock set forward by an hour', ({ clock }) => clock.shiftWall(HOUR_MS)],
  ['the wall clock set back by an hour', ({ clock }) => clock.shiftWall(-HOUR_MS)],
];

const PING = 'event: ping\ndata: {"type": "ping"}\n\n';
async function expectAnswered(stage: FaultStage, phase: Phase, jump: () => void): Promise<void> {
  const client = await phase.reach(stage);
  jump();
  phase.finish(await stage.upstream.attempt(0));
  const sight = await stage.seen(client);
  expect(sight).toMatchObject({ status: 200, ending: 'whole' });
  expect(sight.text.replaceAll(PING, '') === phase.whole).toBe(true);
}

/** All but the error, which is asked again. */
const ANSWERED = DURING_THE_CALL.filter(({ usage }) => usage !== 'none');

describe.concurrent.each(JUMPS)('%s', (_name, jump) => {
  it.each(ANSWERED)('$name changes nothing', async (phase) => {
    await onStage(phase.plans, phase.options ?? {}, (stage) => expectAnswered(stage, phase, () => jump(stage)));
  });

  it.each(BEFORE_THE_CALL.filter(({ call }) => call === 'another’s'))('$name changes nothing', async (phase) => {
    await onStage([phase.plans[0], FINE.stream], phase.options ?? {}, (stage) =>
      expectAnswered(stage, phase, () => jump(stage)),
    );
  });

  it('in the wait before a retry makes it no shorter and no longer', async () => {
    const phase = BEFORE_THE_CALL.find(({ call }) => call === 'none') as Phase;
    await onStage(phase.plans, {}, async (stage) => {
      const client = await phase.reach(stage);
      jump(stage);
      expect(stage.clock.pending).toBe(1);
      expect(stage.upstream.attempts).toHaveLength(1);
      stage.clock.jump(26_000);
      expect(await stage.seen(client)).toMatchObject({ status: 200, text: WHOLE_STREAM });
    });
  });
});

describe.concurrent('ten minutes that pass in no time', () => {
  it.each(ANSWERED)('$name end no answer', async (phase) => {
    await onStage(phase.plans, phase.options ?? {}, (stage) =>
      expectAnswered(stage, phase, () => stage.clock.jump(SLEPT_MS)),
    );
  });

  it.each([
    ['in the line for a slot of its tenant', 'queue_timeout'],
    ['in the line of the upstream', 'upstream_busy'],
  ])('%s are too long: %s', async (name, refusal) => {
    const phase = BEFORE_THE_CALL.find((one) => one.name === name) as Phase;
    await onStage(phase.plans, phase.options ?? {}, async (stage) => {
      const client = await phase.reach(stage);
      stage.clock.jump(SLEPT_MS);
      const sight = await stage.seen(client);
      expect(sight).toMatchObject({ status: 429, ending: 'whole' });
      expect(Number(sight.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(await stage.record(0)).toMatchObject({ refusal });
      phase.finish(await stage.upstream.attempt(0));
      expect(await stage.record(1)).toMatchObject({ end: 'complete' });
    });
  });

  it('while another writes the prefix let the request go on its own', async () => {
    const phase = BEFORE_THE_CALL.find(({ name }) => name.includes('prefix')) as Phase;
    await onStage([phase.plans[0], FINE.stream], phase.options ?? {}, async (stage) => {
      const client = await phase.reach(stage);
      stage.clock.jump(SLEPT_MS);
      expect(await stage.seen(client)).toMatchObject({ status: 200, text: WHOLE_STREAM });
      expect(stage.upstream.attempts).toHaveLength(2);
      phase.finish(await stage.upstream.attempt(0));
      await stage.record(1);
    });
  });

  it('in the wait before a retry end it', async () => {
    const phase = BEFORE_THE_CALL.find(({ call }) => call === 'none') as Phase;
    await onStage(phase.plans, {}, async (stage) => {
      const client = await phase.reach(stage);
      stage.clock.jump(SLEPT_MS);
      expect(await stage.seen(client)).toMatchObject({ status: 200, text: WHOLE_STREAM });
      expect(stage.upstream.attempts).toHaveLength(2);
    });
  });

  it('within the body of a request are too long for it: 408', async () => {
    await onStage([FINE.stream], {}, async (stage) => {
      const client = await stage.connect();
      const whole = requestBytes(asking('stream'));
      client.send(whole.subarray(0, whole.length - 1));
      stage.expected.requests = 1;
      await eventually('the body is waited for', DEADLINE_MS, () => stage.clock.pending === 1);
      stage.clock.jump(SLEPT_MS);
      expect(await stage.seen(client)).toMatchObject({ status: 408, ending: 'whole' });
      expect(stage.upstream.attempts).toHaveLength(0);
    });
  });
});
