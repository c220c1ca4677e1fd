import { describe, expect, it } from 'vitest';
import { BLOCK_START, message, messageStart, streamTail, textDelta } from '../support/claude-answers.ts';
import { eventually, standsStill } from '../support/eventually.ts';
import { asking, managed } from '../support/gateway-under-test.ts';
import { useWorkerStage, type WorkerStage } from './worker-stage.ts';

/** Streams on the deployed bundle, and callers that go away: one slot, so that only a freed one lets the next pass. */
const start = useWorkerStage();
const settings = managed('maxConcurrency: 1');
const DEADLINE_MS = 10_000;

async function expectNextServed(stage: WorkerStage, index: number): Promise<void> {
  const next = await stage.open(asking());
  (await stage.upstream.call(index)).answer(200, message());
  expect((await next.response()).status).toBe(200);
  expect(stage.upstream.calls).toHaveLength(index + 1);
}

describe('a stream', () => {
  it('arrives event by event, while the upstream waits between them', async () => {
    const stage = await start({ settings });
    const client = await stage.open(asking());
    const call = await stage.upstream.call(0);
    call.sse();
    call.write(messageStart() + BLOCK_START);
    for (const word of ['one', 'two', 'three']) {
      call.write(textDelta(word));
      await client.body(`"${word}" arrives`, (text) => text.includes(word));
    }
    call.write(streamTail());
    call.end();
    expect((await client.response()).ending).toBe('whole');
    await expectNextServed(stage, 1);
  });
});

describe('a caller that hangs up', () => {
  it('by reset before any answer ends the call and frees the slot', async () => {
    const stage = await start({ settings });
    const client = await stage.open(asking());
    const call = await stage.upstream.call(0);
    client.reset();
    await eventually('the upstream call is closed', DEADLINE_MS, () => call.state === 'closed');
    await expectNextServed(stage, 1);
  });

  it.each(['close', 'reset'] as const)('by %s in mid-stream ends the call and frees the slot', async (how) => {
    const stage = await start({ settings });
    const client = await stage.open(asking());
    const call = await stage.upstream.call(0);
    call.sse();
    call.write(messageStart() + BLOCK_START + textDelta('Hello'));
    await client.body('the first text arrives', (text) => text.includes('Hello'));
    client[how]();
    await eventually('the upstream call is closed', DEADLINE_MS, () => {
      if (how === 'close') call.write(textDelta('more')); // workerd sees a FIN when it writes
      return call.state === 'closed';
    });
    await expectNextServed(stage, 1);
  });

  it('by reset while it uploads is counted as 499 and never reaches the upstream', async () => {
    const stage = await start({ settings });
    const counted = async (): Promise<number> =>
      (await stage.metrics()).sum('slipstream_requests_total', { tenant: 'acme', status: '499' });
    await eventually('one is counted', DEADLINE_MS, async () => {
      const client = await stage.open(asking({ headers: { 'content-length': '4000' } }));
      await standsStill('the head has been read', DEADLINE_MS, () => client.received.length);
      client.reset(); // before the head has been read this would be no request at all
      return (await counted()) > 0;
    });
    expect(stage.upstream.calls).toHaveLength(0);
  });

  it('by reset while it waits for a slot never reaches the upstream, and holds no place in the queue', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1, queue: { max: 1 }') });
    const first = await stage.open(asking());
    const call = await stage.upstream.call(0);
    const waiter = await stage.open(asking());
    await eventually('the second waits', DEADLINE_MS, async () => {
      const refused = await stage.open(asking());
      const { status } = await refused.response();
      return status === 429;
    });
    waiter.reset();
    const next = await eventuallyQueued(stage);
    call.answer(200, message());
    expect((await first.response()).status).toBe(200);
    (await stage.upstream.call(1)).answer(200, message());
    expect((await next.response()).status).toBe(200);
    expect(stage.upstream.calls).toHaveLength(2);
  });
});

/** A request that is not refused any more: it has the place that has become free. */
async function eventuallyQueued(stage: WorkerStage) {
  let queued = await stage.open(asking());
  await eventually('a place in the queue is free', DEADLINE_MS, async () => {
    const sentAtMs = performance.now();
    await eventually('it is refused or waits', DEADLINE_MS, () => {
      return queued.peek().isWhole || performance.now() - sentAtMs > 150;
    });
    if (!queued.peek().isWhole) return true;
    queued = await stage.open(asking());
    return false;
  });
  return queued;
}
