import { describe, expect, it } from 'vitest';
import { eventually, standsStill } from '../support/eventually.ts';
import { chunk, events, EVENTS, headOf, JSON_HEAD, LAST_CHUNK, SSE_HEAD } from './answers.ts';
import type { CountingClient } from './counting-client.ts';
import { asking, DEADLINE_MS, IDLE_MS, KINDS, onStage, type Kind } from './fault-stage.ts';
import { onRequest, type Plan, type RawAttempt } from './raw-upstream.ts';

/**
 * Callers that read slowly or not at all: what they don't take is not taken from the upstream either, and one that takes
 * nothing for `streamIdle` is cut, because it would hold its slots for ever.
 */

const BIG_BYTES = 16 * 1024 * 1024;
/** Of these the kernel's buffers of three sockets hold a few MiB; the gateway may hold no more than its own. */
const MOST_TAKEN_BYTES = 14 * 1024 * 1024;
const BIG: Readonly<Record<Kind, Buffer>> = {
  stream: Buffer.concat([Buffer.from(SSE_HEAD), chunk(events(3)), chunk(`: ${'x'.repeat(BIG_BYTES)}\n\n`)]),
  json: Buffer.concat([Buffer.from(JSON_HEAD), chunk(`{"type":"message","x":"${'x'.repeat(BIG_BYTES)}"}`)]),
};
const REST: Readonly<Record<Kind, string | Buffer>> = {
  stream: Buffer.concat([chunk(EVENTS.slice(3).join('')), Buffer.from(LAST_CHUNK)]),
  json: LAST_CHUNK,
};
const POLICIES = ['cancel', 'drain'] as const;
const CASES = KINDS.flatMap((kind) => POLICIES.map((policy) => [kind, policy] as const));

const big = (kind: Kind, isWhole: boolean): Plan =>
  onRequest((attempt) => {
    attempt.write(BIG[kind]);
    if (!isWhole) return;
    attempt.write(REST[kind]);
    attempt.end();
  });

/** All that was on its way is read, and the end of the answer is not among it. */
async function expectCut(client: CountingClient): Promise<void> {
  client.resume();
  await eventually('the gateway ends the connection', DEADLINE_MS, () => client.isClosed);
  expect(client.isWhole).toBe(false);
}

describe.concurrent.each(CASES)('a caller of a %s, with hangUp: %s,', (kind, policy) => {
  const options = { tenant: `hangUp: ${policy}`, idleMs: IDLE_MS };

  it.each([
    ['that is not over', false],
    ['that is over upstream', true],
  ])('that never reads one %s is cut, counted, and its call ended', async (_what, isWhole) => {
    await onStage([big(kind, isWhole)], options, async (stage) => {
      const client = await stage.connectCounting();
      client.pause();
      stage.sendOn(client, asking(kind));
      const record = await stage.record(0);
      expect(record).toMatchObject({ status: 200, end: 'reader_stalled' });
      await expectCut(client);
      expect(stage.upstream.attempts).toHaveLength(1);
    });
  });

  it('that stops in the middle is cut and counted', async () => {
    await onStage([big(kind, false)], options, async (stage) => {
      const client = await stage.connectCounting();
      stage.sendOn(client, asking(kind));
      await eventually('the beginning arrives', DEADLINE_MS, () => client.receivedBytes > 1_000);
      client.pause();
      expect(await stage.record(0)).toMatchObject({ status: 200, end: 'reader_stalled' });
      await expectCut(client);
    });
  });

  it('that does not read keeps the upstream waiting', async () => {
    await onStage([big(kind, false)], { ...options, idleMs: 60_000 }, async (stage) => {
      const client = await stage.connectCounting();
      client.pause();
      stage.sendOn(client, asking(kind));
      const attempt = await stage.upstream.attempt(0);
      const unsentBytes = await standsStill('the gateway stops reading', DEADLINE_MS, () => attempt.unsentBytes);
      expect(unsentBytes).toBeGreaterThan(BIG_BYTES - MOST_TAKEN_BYTES);
      client.reset();
      if (policy === 'drain') {
        await eventually('the rest is read', DEADLINE_MS, () => attempt.unsentBytes === 0);
        attempt.write(REST[kind]);
        attempt.end();
      }
      expect(await stage.record(0)).toMatchObject({ status: 200, end: 'client_abort' });
    });
  });

  it('that reads in sips, each long before its patience ends, gets all of it', async () => {
    await onStage([big(kind, true)], { ...options, idleMs: 2_000 }, async (stage) => {
      const client = await stage.connectCounting();
      client.pause();
      stage.sendOn(client, asking(kind));
      let sips = 0;
      await eventually('all of it arrives', 4 * DEADLINE_MS, () => {
        if (sips++ % 2 === 0) client.resume();
        else client.pause();
        return client.isWhole;
      });
      expect(client.status).toBe(200);
      client.resume();
      expect(await stage.record(0)).toMatchObject({ end: 'complete' });
    });
  });
});

describe.concurrent('a caller that does not read', () => {
  it.each([
    ['the end of a short stream', SSE_HEAD, (attempt: RawAttempt) => attempt.reset()],
    ['an error', headOf(400, { 'content-length': '2' }), (attempt: RawAttempt) => attempt.write('{}')],
  ])('%s is no trouble: it fits into the socket', async (_what, head, end) => {
    const plan = onRequest((attempt) => {
      attempt.write(head);
      if (head === SSE_HEAD) attempt.write(chunk(events(3)));
      end(attempt);
      attempt.end();
    });
    await onStage([plan], { idleMs: IDLE_MS }, async (stage) => {
      const client = await stage.connect();
      client.pause();
      stage.sendOn(client, asking('stream'));
      await stage.record(0);
      client.resume();
      expect((await stage.seen(client)).status).not.toBe('none');
    });
  });
});
