import { describe, expect, it } from 'vitest';
import {
  event,
  MESSAGE_STOP,
  messageStart,
  PING,
  streamHead,
  streamTail,
  wholeStream,
} from '../support/claude-answers.ts';
import { eventually, standsStill } from '../support/eventually.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { requestBytes } from '../support/raw-client.ts';
import { asking, managed, useStage, type OpenExchange, type Stage } from '../support/gateway-under-test.ts';
import { expectBrokenOff } from './broken-off.ts';

/** A stream that is cut upstream stays cut: ended cleanly, SDK streams would end without an error. */

const start = useStage();

async function openStream(bytes: string): Promise<OpenExchange & { readonly stage: Stage }> {
  const stage = await start();
  const { client, call } = await stage.open();
  call.sse();
  call.write(bytes);
  await client.body('the bytes so far arrive', (text) => text === bytes);
  return { stage, client, call };
}

async function outcomes(stage: Stage): Promise<Record<string, number>> {
  await stage.record(0);
  const metrics = await stage.metrics();
  const names = ['complete', 'client_abort', 'reader_stalled', 'upstream_error', 'truncated'];
  const counts = names.map((outcome) => [outcome, metrics.sum('slipstream_streams_total', { outcome })] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

const CUTS = {
  'ends its connection': 'fin',
  'resets its connection': 'reset',
  'ends its answer properly': 'end',
} as const;

describe.each(Object.entries(CUTS))('an upstream that %s', (_name, how) => {
  it('between events without message_stop leaves an error event and an answer without its end', async () => {
    const { stage, client, call } = await openStream(streamHead());
    call[how]();
    const response = await client.response();
    expect(response.ending).toBe('cut');
    expect(response.text.startsWith(streamHead())).toBe(true);
    const [, data = ''] = /^event: error\ndata: (.+)\n\n$/.exec(response.text.slice(streamHead().length)) ?? [];
    const requestId = response.headers['x-slipstream-id'];
    expect(JSON.parse(data)).toMatchObject({ type: 'error', error: { type: 'api_error' }, request_id: requestId });
    expect(await outcomes(stage)).toEqual({ truncated: 1 });
  });

  it('within an event leaves exactly its bytes and an answer without its end', async () => {
    const bytes = streamHead() + 'event: content_block_delta\ndata: {"type":"content_bl';
    const { stage, client, call } = await openStream(bytes);
    call[how]();
    const response = await client.response();
    expect(response.ending).toBe('cut');
    expect(response.text).toBe(bytes);
    expect(await outcomes(stage)).toEqual({ truncated: 1 });
  });

  it.each([
    ['any event', ''],
    ['its first content', messageStart() + PING],
  ])('before %s leaves a 502: nothing has been sent', async (_what, bytes) => {
    const stage = await start({ clock: createFakeClock() });
    const { client, call } = await stage.open();
    call.sse();
    call.write(bytes);
    await stage.streamsOpen(1);
    call[how]();
    await expectBrokenOff(client);
    expect(await stage.record(0)).toMatchObject({ status: 502, end: 'refused', refusal: 'upstream_broken' });
    expect(await outcomes(stage)).toEqual({});
  });
});

describe('a stream that breaks before its first content and after a ping has gone out', () => {
  it.each(['fin', 'reset', 'end'] as const)(
    'by %s leaves an error event and an answer without its end',
    async (how) => {
      const clock = createFakeClock();
      const stage = await start({ clock });
      const { client, call } = await stage.open();
      call.sse();
      await stage.streamsOpen(1);
      await clock.advance(15_000);
      await client.head();
      call[how]();
      const response = await client.response();
      expect(response).toMatchObject({ status: 200, ending: 'cut' });
      expect(response.text).toMatch(/^event: ping\n.+\n\nevent: error\ndata: .+\n\n$/);
      expect(await outcomes(stage)).toEqual({ truncated: 1 });
    },
  );
});

describe('a caller of HTTP/1.0, to whom the end of the connection is the end of the answer', () => {
  it.each([
    ['whole stream ends with FIN', wholeStream(), 'fin', 'complete'],
    ['stream that is broken off ends with RST', streamHead(), 'reset', 'truncated'],
  ] as const)('sees that a %s', async (_name, bytes, ending, outcome) => {
    const stage = await start();
    const client = await stage.connect();
    client.send(requestBytes(asking()).toString('latin1').replace('HTTP/1.1', 'HTTP/1.0'));
    const call = await stage.upstream.call(0);
    call.sse();
    call.write(bytes);
    await client.body('the bytes so far arrive', (text) => text === bytes);
    call.end();
    expect(await client.closed()).toBe(ending);
    expect(await outcomes(stage)).toEqual({ [outcome]: 1 });
  });
});

describe('a stream that is silent beyond the idle limit', () => {
  it('is given up: an error event says so, and the call is closed', async () => {
    const stage = await start({ settings: managed('', 'streamIdle: 300ms') });
    const { client, call } = await stage.open();
    call.sse();
    call.write(streamHead());
    const response = await client.response();
    expect(response.ending).toBe('cut');
    expect(response.text.slice(streamHead().length)).toMatch(/^event: error\ndata: .*"timeout_error".*\n\n$/);
    await eventually('the upstream call is closed', 10_000, () => call.state === 'closed');
    expect(await outcomes(stage)).toEqual({ truncated: 1 });
  });

  it('is waited for while it is the caller who reads slowly', async () => {
    const stage = await start({ settings: managed('', 'streamIdle: 3s') });
    const { client, call } = await stage.open();
    client.pause();
    const bytes = streamHead() + `: ${'x'.repeat(16 * 1024 * 1024)}\n\n` + streamTail();
    call.sse();
    call.write(bytes);
    call.end();
    await standsStill('the gateway stops reading', 5_000, () => call.unsentBytes, 1_500);
    client.resume();
    expect((await client.response()).text === bytes).toBe(true);
  });
});

describe('a caller that takes nothing for longer than the idle limit', () => {
  it.each([
    ['mid-stream', streamHead() + `: ${'x'.repeat(16 * 1024 * 1024)}\n\n`, false],
    ['at its end', streamHead() + `: ${'x'.repeat(16 * 1024 * 1024)}\n\n` + streamTail(), true],
  ])('is cut %s and counted, and the call upstream is over', async (_where, bytes, isWhole) => {
    const stage = await start({ settings: managed('', 'streamIdle: 400ms') });
    const { client, call } = await stage.open();
    client.pause();
    call.sse();
    call.write(bytes);
    if (isWhole) call.end();
    expect(await stage.record(0)).toMatchObject({ status: 200, end: 'reader_stalled' });
    await eventually('the upstream call is over', 10_000, () => call.state !== 'open');
    expect(await outcomes(stage)).toEqual({ reader_stalled: 1 });
  });
});

const OVERLOADED = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });

describe('an error event of the upstream', () => {
  it.each(['end', 'fin', 'reset'] as const)('arrives as it is and alone when its stream is over by %s', async (how) => {
    const { stage, client, call } = await openStream(streamHead() + OVERLOADED);
    call[how]();
    const response = await client.response();
    expect(response.text).toBe(streamHead() + OVERLOADED);
    expect(response.ending).toBe(how === 'end' ? 'whole' : 'cut');
    expect(await outcomes(stage)).toEqual({ upstream_error: 1 });
  });
});

describe('a whole stream', () => {
  it('ends properly and keeps the connection', async () => {
    const { stage, client, call } = await openStream(streamHead());
    call.write(streamTail());
    call.end();
    expect(await client.response()).toMatchObject({ ending: 'whole', text: wholeStream() });
    expect(client.ending).toBe('open');
    expect(await outcomes(stage)).toEqual({ complete: 1 });
  });

  it('that has its message_stop and not the end mark of its transfer is cut like any other', async () => {
    const { stage, client, call } = await openStream(wholeStream());
    call.reset();
    const response = await client.response();
    expect(response.text).toBe(wholeStream());
    expect(response.ending).toBe('cut');
    expect(await outcomes(stage)).toEqual({ truncated: 1 });
  });

  it('is not taken for whole because a delta quotes message_stop', async () => {
    const { stage, client, call } = await openStream(
      streamHead() + event('content_block_delta', { index: 0, delta: { text: MESSAGE_STOP } }),
    );
    call.end();
    expect((await client.response()).ending).toBe('cut');
    expect(await outcomes(stage)).toEqual({ truncated: 1 });
  });
});
