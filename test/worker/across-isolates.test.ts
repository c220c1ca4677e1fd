import { describe, expect, it } from 'vitest';
import { ask, markersOf, textOf, user } from '../support/cache-bodies.ts';
import { message, streamHead, streamTail } from '../support/claude-answers.ts';
import { eventually, standsStill } from '../support/eventually.ts';
import { asking, managed } from '../support/gateway-under-test.ts';
import type { RequestParts } from '../support/raw-client.ts';
import { useWorkerStage } from './worker-stage.ts';

/** Two isolates of one worker share no memory: what they know of each other, they know through the durable objects. */
const start = useWorkerStage();
const DEADLINE_MS = 10_000;
const PREFIX_TOKENS = 20_000;
const SYSTEM = textOf('A manual that all of them ask about.', PREFIX_TOKENS);
const WRITTEN = { input_tokens: 8, cache_creation_input_tokens: PREFIX_TOKENS, output_tokens: 1 };
const READ = { input_tokens: 8, cache_read_input_tokens: PREFIX_TOKENS, output_tokens: 1 };

function question(of: string): RequestParts {
  const body = ask({ system: SYSTEM, messages: [user(`A question of ${of}?`)], stream: true });
  return asking({ body: JSON.stringify(body) });
}

describe('two isolates', () => {
  it('write one cold prefix once: the follower waits for the first content of a leader in the other isolate', async () => {
    const stage = await start({ settings: managed(), isolates: 2 });
    const leader = await stage.open(question('the leader'), 0);
    const writing = await stage.upstream.call(0);
    expect(markersOf(writing.body)).not.toEqual([]);
    const followers = await Promise.all([1, 1, 0, 1].map((isolate, at) => stage.open(question(`${at}`), isolate)));
    await eventually('all of them have their slot', DEADLINE_MS, async () => {
      return (await stage.metrics()).sum('slipstream_slots_in_use', { scope: 'tenant', name: 'acme' }) === 5;
    });
    expect(await standsStill('nobody else goes upstream', DEADLINE_MS, () => stage.upstream.calls.length)).toBe(1);
    writing.sse();
    writing.write(streamHead(WRITTEN));
    for (const at of followers.keys()) {
      const reading = await stage.upstream.call(at + 1);
      reading.sse();
      reading.write(streamHead(READ) + streamTail());
      reading.end();
    }
    writing.write(streamTail());
    writing.end();
    for (const client of [leader, ...followers]) expect((await client.response()).ending).toBe('whole');
    await eventually('one leader and four followers are counted', DEADLINE_MS, async () => {
      const metrics = await stage.metrics();
      const count = (role: string): number => metrics.sum('slipstream_single_flight_total', { role });
      return count('leader') === 1 && count('follower') === 4;
    });
  });

  it('let a follower lead when the leader of the other isolate is gone', async () => {
    const stage = await start({ settings: managed(), isolates: 2 });
    const leader = await stage.open(question('the leader'), 0);
    const dropped = await stage.upstream.call(0);
    const follower = await stage.open(question('the follower'), 1);
    await eventually('both have their slot', DEADLINE_MS, async () => {
      return (await stage.metrics()).sum('slipstream_slots_in_use', { scope: 'tenant', name: 'acme' }) === 2;
    });
    leader.reset();
    await eventually('the call of the leader is closed', DEADLINE_MS, () => dropped.state === 'closed');
    (await stage.upstream.call(1)).answer(200, message());
    expect((await follower.response()).status).toBe(200);
  });

  it("share a tenant's slots: who waits in one is served when a slot of the other is given back", async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1'), isolates: 2 });
    const first = await stage.open(asking(), 0);
    const call = await stage.upstream.call(0);
    const second = await stage.open(asking(), 1);
    await eventually('one waits', DEADLINE_MS, async () => {
      return (await stage.metrics()).sum('slipstream_queue_depth', { scope: 'tenant', name: 'acme' }) === 1;
    });
    expect(stage.upstream.calls).toHaveLength(1);
    call.answer(200, message());
    expect((await first.response()).status).toBe(200);
    (await stage.upstream.call(1)).answer(200, message());
    expect((await second.response()).status).toBe(200);
  });

  it("share a tenant's budget: what one has spent, the other refuses", async () => {
    const stage = await start({ settings: managed('budget: { usd: 0.01, per: day }'), isolates: 2 });
    const first = await stage.open(asking(), 0);
    (await stage.upstream.call(0)).answer(200, message({ input_tokens: 10_000, output_tokens: 10 }));
    expect((await first.response()).status).toBe(200);
    await eventually('the other refuses with 402', DEADLINE_MS, async () => {
      const second = await stage.open(asking(), 1);
      await eventually('it is answered or upstream', DEADLINE_MS, () => {
        for (const call of stage.upstream.calls)
          if (call.bodyIsWhole && call.state === 'open') call.answer(200, message());
        return second.peek().isWhole;
      });
      return (await second.response()).status === 402;
    });
  });
});
