import { describe, expect, it } from 'vitest';
import {
  BLOCK_START,
  message,
  messageStart,
  PING,
  streamHead,
  streamTail,
  wholeStream,
} from '../support/claude-answers.ts';
import { eventually, standsStill } from '../support/eventually.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { asking, managed, passThrough, useStage, type Stage } from '../support/gateway-under-test.ts';
import { requestBytes } from '../support/raw-client.ts';
import type { UpstreamCall } from '../support/scripted-upstream.ts';

/** A caller that goes away must end the upstream request, or tokens are paid for nobody. */

const start = useStage();
const DEADLINE_MS = 10_000;
const JSON_BODY = '{"model":"claude-sonnet-5","messages":[]}';

async function expectEnded(stage: Stage, call: UpstreamCall): Promise<void> {
  await eventually('the upstream call is closed', DEADLINE_MS, () => call.state === 'closed');
  await eventually('the slot is free', DEADLINE_MS, async () => (await stage.slots()).size === 0);
}

async function expectStream(stage: Stage, outcome: string): Promise<void> {
  const metrics = await stage.metrics();
  expect(metrics.sum('slipstream_streams_total', { outcome })).toBe(1);
  expect(metrics.sum('slipstream_streams_total')).toBe(1);
  expect(metrics.sum('slipstream_open_streams')).toBe(0);
}

describe.each(['fin', 'reset'] as const)('a caller that hangs up by %s', (how) => {
  it('while it uploads never reaches the upstream and is counted as 499', async () => {
    const stage = await start();
    const client = await stage.connect();
    client.send(requestBytes(asking({ headers: { 'content-length': '4000' } })));
    client[how]();
    await eventually('the request is counted', DEADLINE_MS, async () => {
      return (await stage.metrics()).sum('slipstream_requests_total', { tenant: 'acme', status: '499' }) === 1;
    });
    expect((await stage.metrics()).sum('slipstream_requests_total')).toBe(1);
    expect(stage.upstream.calls).toHaveLength(0);
  });

  it('before the head ends the call and is counted as 499', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    client[how]();
    await expectEnded(stage, call);
    expect(await stage.record(0)).toMatchObject({ status: 499, end: 'client_abort' });
    const metrics = await stage.metrics();
    expect(metrics.sum('slipstream_requests_total', { status: '499' })).toBe(1);
    expect(metrics.sum('slipstream_streams_total')).toBe(0);
  });

  it('between the head of a stream and its first event ends the call, and has been sent nothing', async () => {
    const stage = await start({ clock: createFakeClock() });
    const { client, call } = await stage.open();
    call.sse();
    await stage.streamsOpen(1);
    client[how]();
    await expectEnded(stage, call);
    expect(await stage.record(0)).toMatchObject({ status: 499, end: 'client_abort' });
    expect(client.received).toHaveLength(0);
    expect((await stage.metrics()).sum('slipstream_streams_total')).toBe(0);
  });

  it('between message_start and the first content ends the call; what message_start said is counted', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.sse();
    call.write(messageStart({ input_tokens: 11, output_tokens: 1 }));
    await stage.streamsOpen(1);
    await stage.anotherExchange();
    client[how]();
    await expectEnded(stage, call);
    await eventually('it is recorded', 10_000, () => stage.records.length === 2);
    expect(stage.records[1]).toMatchObject({ status: 499, end: 'client_abort', usage: { uncachedInput: 11 } });
    expect(client.received).toHaveLength(0);
  });

  it('mid-stream ends the call; what was consumed until then is counted', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.sse();
    call.write(streamHead({ input_tokens: 31, output_tokens: 1 }));
    await client.body('the first text arrives', (text) => text.includes('Hello'));
    client[how]();
    await expectEnded(stage, call);
    await stage.record(0);
    await expectStream(stage, 'client_abort');
    expect((await stage.metrics()).sum('slipstream_input_tokens_total', { kind: 'uncached' })).toBe(31);
  });

  it('mid-stream, reading slowly, with the upstream held back, ends the call', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    client.pause();
    call.sse();
    call.write(messageStart() + BLOCK_START + `: ${'x'.repeat(32 * 1024 * 1024)}\n\n`);
    expect(await standsStill('the gateway stops reading', 5_000, () => call.unsentBytes)).toBeGreaterThan(0);
    client[how]();
    await expectEnded(stage, call);
    await stage.record(0);
    await expectStream(stage, 'client_abort');
  });

  it('before a finished answer could leave, behind an earlier one, has aborted it, and it is not complete', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    client.send(requestBytes(asking()));
    const second = await stage.upstream.call(1);
    second.sse();
    second.write(wholeStream());
    second.end();
    await eventually('the second is answered', DEADLINE_MS, () => second.state === 'answered');
    client[how]();
    await expectEnded(stage, call);
    await stage.record(1);
    expect(stage.records.map(({ end }) => end)).toEqual(['client_abort', 'client_abort']);
  });

  it('before the head of a JSON answer ends the call', async () => {
    const stage = await start();
    const { client, call } = await stage.open(asking({ body: JSON_BODY }));
    client[how]();
    await expectEnded(stage, call);
    expect(await stage.record(0)).toMatchObject({ status: 499, isStream: false });
  });

  it('while a JSON answer is kept ends the call, and has been sent nothing', async () => {
    const stage = await start();
    const { client, call } = await stage.open(asking({ body: JSON_BODY }));
    call.head(200, { 'content-type': 'application/json', 'content-length': '1000' });
    call.write('{"type":"message"');
    await stage.anotherExchange();
    client[how]();
    await expectEnded(stage, call);
    const record = await stage.record(1);
    expect(record).toMatchObject({ status: 499, end: 'client_abort', isStream: false, usage: null });
    expect(record.timings.upstreamHeadAtMs).not.toBeNull();
    expect(client.received).toHaveLength(0);
  });

  it('within a JSON answer that is too long to be kept ends the call', async () => {
    const stage = await start();
    const { client, call } = await stage.open(asking({ body: JSON_BODY }));
    call.head(200, { 'content-type': 'application/json', 'content-length': '2000000' });
    call.write(' '.repeat(1_500_000));
    await client.body('the first bytes arrive', (text) => text.length > 0);
    client[how]();
    await expectEnded(stage, call);
    expect(await stage.record(0)).toMatchObject({ status: 200, end: 'client_abort', isStream: false });
  });

  it('while it uploads to a path that is forwarded unread ends the call', async () => {
    const stage = await start({ settings: passThrough() });
    const client = await stage.connect();
    const headers = { 'content-type': 'application/octet-stream', 'content-length': '4000' };
    client.send(requestBytes(asking({ target: '/v1/files', headers, body: 'the beginning' })));
    await eventually('the upload has begun', DEADLINE_MS, () => stage.upstream.calls[0]?.body.length === 13);
    client[how]();
    await eventually('the upstream call is closed', DEADLINE_MS, () => stage.upstream.calls[0]?.state === 'closed');
    expect(await stage.record(0)).toMatchObject({ status: 499, end: 'client_abort' });
  });

  it('with a request in line behind its stream never has that request sent, or has it ended', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 1') });
    const { client, call } = await stage.open();
    call.sse();
    call.write(streamHead());
    client.send(requestBytes(asking()));
    await client.body('the first text arrives', (text) => text.includes('Hello'));
    await eventually('the second waits', DEADLINE_MS, async () => (await stage.slots()).get('acme')?.waiting === 1);
    client[how]();
    await expectEnded(stage, call);
    await stage.record(1);
    expect(stage.upstream.calls).toHaveLength(1);
  });
});

describe('a caller that stays', () => {
  it('keeps its connection from one answer to the next, JSON or stream, and nothing counts as an abort', async () => {
    const stage = await start();
    const client = await stage.connect();
    for (let turn = 0; turn < 4; turn++) {
      client.send(requestBytes(asking()));
      const call = await stage.upstream.call(turn);
      if (turn % 2 === 0) {
        call.answer(200, message());
      } else {
        call.sse();
        call.write(PING + wholeStream());
        call.end();
      }
      expect(await client.response()).toMatchObject({ status: 200, ending: 'whole' });
    }
    expect(client.ending).toBe('open');
    await stage.record(3);
    expect(stage.records.map(({ end }) => end)).toEqual(['complete', 'complete', 'complete', 'complete']);
  });

  it('and reads slowly holds the upstream back and gets every byte', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    const text = messageStart() + `: ${'x'.repeat(48 * 1024 * 1024)}\n\n` + wholeStream();
    client.pause();
    call.sse();
    call.write(text);
    call.end();
    const unsent = await standsStill('the gateway stops reading', 5_000, () => call.unsentBytes);
    expect(unsent).toBeGreaterThan(30 * 1024 * 1024);
    client.resume();
    await eventually('all of it arrives', 15_000, () => client.peek().isWhole);
    expect(client.peek().body.toString() === text).toBe(true);
  });
});

describe.each(['fin', 'reset'] as const)(
  'a caller that hangs up by %s, of a tenant who wants answers read on',
  (how) => {
    const settings = managed('hangUp: drain', 'hangUpDrain: 2s');

    it('mid-stream is not billed blindly: the answer is read to its end, its usage is exact, its slot held until then', async () => {
      const stage = await start({ settings });
      const { client, call } = await stage.open();
      call.sse();
      call.write(streamHead({ input_tokens: 12, output_tokens: 1 }));
      await client.body('the first text arrives', (text) => text.includes('Hello'));
      client[how]();
      await stage.anotherExchange();
      expect(call.state).toBe('open');
      expect((await stage.slots()).get('acme')?.inUse).toBe(1);
      call.write(streamTail(77));
      call.end();
      await eventually('it is recorded', 10_000, () => stage.records.length === 2);
      expect(stage.records[1]).toMatchObject({ end: 'client_abort', usage: { uncachedInput: 12, output: 77 } });
      await expectStream(stage, 'client_abort');
    });

    it('before the head is read on, too', async () => {
      const stage = await start({ settings });
      const { client, call } = await stage.open();
      client[how]();
      await stage.anotherExchange();
      call.answer(200, message({ input_tokens: 12, output_tokens: 7 }));
      await eventually('it is recorded', 10_000, () => stage.records.length === 2);
      expect(stage.records[1]).toMatchObject({ end: 'client_abort', usage: { uncachedInput: 12, output: 7 } });
    });

    it('is waited for no longer than the bound', async () => {
      const clock = createFakeClock();
      const stage = await start({ settings, clock });
      const { client, call } = await stage.open();
      client[how]();
      await eventually('the bound begins', 10_000, () => clock.pending > 0);
      await clock.advance(1_999);
      expect(call.state).toBe('open');
      await clock.advance(1);
      await expectEnded(stage, call);
    });
  },
);
