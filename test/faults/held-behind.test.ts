import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { RawClient } from '../support/raw-client.ts';
import {
  apiError,
  errorEvent,
  events,
  LAST_CHUNK,
  lastly,
  reset,
  fin,
  SSE_HEAD,
  stream,
  WHOLE_STREAM,
  withLength,
  type End,
} from './answers.ts';
import { DEADLINE_MS, FINE, onStage, type FaultStage } from './fault-stage.ts';
import { LONG_PROMPT } from './phases.ts';
import { SILENT, type RawAttempt } from './raw-upstream.ts';
import { HURRIED } from './retry-facts.ts';

/**
 * A request that waits for another to write the prefix they share, when something happens to that other one. Whatever it
 * is, who waited is served, once, and what it waited for is forgotten.
 */

const LONG_HOLD = { cache: 'maxHold: 60s' };

async function leaderAndFollower(stage: FaultStage): Promise<readonly [RawClient, RawClient, RawAttempt]> {
  const leader = await stage.send(LONG_PROMPT);
  const attempt = await stage.upstream.attempt(0);
  const follower = await stage.send(LONG_PROMPT);
  await eventually('both have a slot', DEADLINE_MS, () => stage.tenantCounts().inUse === 2);
  return [leader, follower, attempt];
}

const beginsAndResets: End = (attempt) => {
  attempt.write(stream(events(1)));
  attempt.reset();
};

const MENDED: readonly (readonly [name: string, end: End])[] = [
  ['has its connection reset', reset],
  ['has its connection ended', fin],
  ['is answered 529', lastly(withLength(529, apiError('overloaded_error')))],
  ['is answered 500', lastly(withLength(500, apiError('api_error')))],
  ['is answered no HTTP', (attempt) => attempt.write('what is this\r\n\r\n')],
  ['breaks off behind message_start', beginsAndResets],
  ['gets an error event before content', lastly(stream(events(1) + errorEvent()).toString() + LAST_CHUNK)],
];

describe.concurrent('a request that waits for one that', () => {
  it.each(MENDED)('%s is served, and so is the other, asked again', async (_name, end) => {
    await onStage([SILENT, FINE.stream], LONG_HOLD, async (stage) => {
      const [leader, follower, attempt] = await leaderAndFollower(stage);
      stage.clock.skipUpTo(HURRIED.skipUpToMs); // not before: the follower's patience is a wait, too
      end(attempt);
      expect(await stage.seen(follower)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
      expect(await stage.seen(leader)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
      expect(stage.upstream.attempts).toHaveLength(3);
    });
  });

  it('is answered 400 is served', async () => {
    await onStage([SILENT, FINE.stream], LONG_HOLD, async (stage) => {
      const [leader, follower, attempt] = await leaderAndFollower(stage);
      lastly(withLength(400, apiError('invalid_request_error')))(attempt);
      expect(await stage.seen(leader)).toMatchObject({ status: 400 });
      expect(await stage.seen(follower)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
      expect(stage.upstream.attempts).toHaveLength(2);
    });
  });

  it('breaks off behind its text is served: what that one wrote can be read', async () => {
    await onStage([SILENT, FINE.stream], LONG_HOLD, async (stage) => {
      const [leader, follower, attempt] = await leaderAndFollower(stage);
      attempt.write(stream(events(3)));
      await leader.body('the text arrives', (text) => text === events(3));
      attempt.reset();
      expect(await stage.seen(leader)).toMatchObject({ status: 200, ending: 'cut' });
      expect(await stage.seen(follower)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
      expect(stage.upstream.attempts).toHaveLength(2);
    });
  });

  it('is silent for longer than the idle limit is served', async () => {
    await onStage([SILENT, FINE.stream], { ...LONG_HOLD, idleMs: 300 }, async (stage) => {
      const [leader, follower, attempt] = await leaderAndFollower(stage);
      attempt.write(SSE_HEAD);
      expect(await stage.seen(leader)).toMatchObject({ status: 504 });
      expect(await stage.seen(follower)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
    });
  });
});

const WAYS = ['fin', 'reset', 'close'] as const;

describe.concurrent.each(WAYS)('a request that waits for one whose caller leaves by %s', (way) => {
  it('with hangUp: cancel takes its place', async () => {
    await onStage([SILENT, FINE.stream], { ...LONG_HOLD, tenant: 'hangUp: cancel' }, async (stage) => {
      const [leader, follower, attempt] = await leaderAndFollower(stage);
      leader[way]();
      expect(await stage.seen(follower)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
      await eventually('the call is closed', DEADLINE_MS, () => attempt.state === 'closed');
      expect(stage.upstream.attempts).toHaveLength(2);
    });
  });

  it('with hangUp: drain goes on waiting, for it is still being written', async () => {
    await onStage([SILENT, FINE.stream], { ...LONG_HOLD, tenant: 'hangUp: drain' }, async (stage) => {
      const [leader, follower, attempt] = await leaderAndFollower(stage);
      const timers = stage.clock.pending;
      leader[way]();
      await eventually('the bound is set', DEADLINE_MS, () => stage.clock.pending === timers + 1);
      expect(stage.upstream.attempts).toHaveLength(1);
      lastly(stream(WHOLE_STREAM).toString() + LAST_CHUNK)(attempt);
      expect(await stage.seen(follower)).toMatchObject({ status: 200, ending: 'whole', text: WHOLE_STREAM });
      expect(stage.upstream.attempts).toHaveLength(2);
    });
  });
});
