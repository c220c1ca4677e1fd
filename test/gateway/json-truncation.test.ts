import { constants, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { streamHead } from '../support/claude-answers.ts';
import { eventually } from '../support/eventually.ts';
import { asking, managed, useStage } from '../support/gateway-under-test.ts';
import { expectBrokenOff } from './broken-off.ts';

/** Half a JSON answer is of no use to anybody: it is an error of the gateway's own, or at least not passed off as whole. */

const start = useStage();
const JSON_BODY = '{"model":"claude-sonnet-5","messages":[]}';
/** More of a JSON answer than the gateway keeps back. */
const LONG_HALF = '{"type":"message"' + ' '.repeat(1024 * 1024);

describe('a JSON answer', () => {
  const FRAMINGS: readonly [string, Record<string, string>, 'fin' | 'reset'][] = [
    ['with a length, broken off by fin', { 'content-length': '2000000' }, 'fin'],
    ['with a length, broken off by reset', { 'content-length': '2000000' }, 'reset'],
    ['in chunks, broken off by fin', {}, 'fin'],
    ['in chunks, broken off by reset', {}, 'reset'],
  ];

  async function begin(headers: Record<string, string>) {
    const stage = await start();
    const { client, call } = await stage.open(asking({ body: JSON_BODY }));
    call.head(200, { 'content-type': 'application/json', ...headers });
    return { stage, client, call };
  }

  it.each(FRAMINGS)('%s within its first MiB, is a 502', async (_name, headers, how) => {
    const { stage, client, call } = await begin(headers);
    call.write('{"type":"message"');
    await stage.anotherExchange();
    expect(client.received).toHaveLength(0);
    call[how]();
    await expectBrokenOff(client);
    const record = await stage.record(1);
    expect(record).toMatchObject({ status: 502, end: 'refused', refusal: 'upstream_broken', isStream: false });
    expect(record.timings.upstreamHeadAtMs).not.toBeNull();
  });

  it.each(FRAMINGS)('%s beyond its first MiB, is not passed off as whole', async (_name, headers, how) => {
    const { stage, client, call } = await begin(headers);
    call.write(LONG_HALF);
    await client.body('the bytes so far arrive', (text) => text.length === LONG_HALF.length);
    call[how]();
    const response = await client.response();
    expect(response).toMatchObject({ status: 200, ending: 'cut' });
    expect(response.text === LONG_HALF).toBe(true);
    expect(await stage.record(0)).toMatchObject({ status: 200, end: 'truncated' });
  });

  it('that falls silent within its first MiB, beyond the idle limit, is a 504', async () => {
    const stage = await start({ settings: managed('', 'streamIdle: 300ms') });
    const { client, call } = await stage.open(asking({ body: JSON_BODY }));
    call.head(200, { 'content-type': 'application/json' });
    call.write('{"type":"message"');
    const response = await client.response();
    expect(response).toMatchObject({ status: 504, ending: 'whole' });
    expect(response.json()).toMatchObject({ type: 'error', error: { type: 'timeout_error' } });
    await eventually('the upstream call is closed', 10_000, () => call.state === 'closed');
  });

  it('of 17 MiB arrives whole', async () => {
    const { client, call } = await begin({});
    const text = ' '.repeat(17 * 1024 * 1024) + '{"type":"message"}';
    call.write(text);
    call.end();
    const response = await client.response();
    expect(response).toMatchObject({ status: 200, ending: 'whole' });
    expect(response.text === text).toBe(true);
  });

  it.each(['fin', 'reset'] as const)('that never begins, the connection being ended by %s, is a 502', async (how) => {
    const stage = await start();
    const { client, call } = await stage.open(asking({ body: JSON_BODY }));
    call[how]();
    await expectBrokenOff(client);
    expect((await stage.record(0)).timings.upstreamHeadAtMs).toBeNull();
  });

  it('whose head is no HTTP is a 502', async () => {
    const stage = await start();
    const { client, call } = await stage.open(asking({ body: JSON_BODY }));
    call.raw('HTP/1.1 200 OK\r\nwhat is this\r\n\r\n');
    expect((await client.response()).status).toBe(502);
  });
});

describe('a compressed answer', () => {
  it.each(['gzip', 'deflate', 'br', 'zstd'] as const)(
    'in %s that breaks off is cut for the caller too',
    async (encoding) => {
      const stage = await start();
      const { client, call } = await stage.open();
      call.sse({ 'content-encoding': encoding });
      call.compress(encoding);
      call.write(streamHead());
      await client.body('what was compressed arrives', (text) => text === streamHead());
      call.fin();
      const response = await client.response();
      expect(response.ending).toBe('cut');
      expect(await stage.record(0)).toMatchObject({ isStream: true, end: 'truncated' });
    },
  );

  const NO_GZIP = '{"this":"is no gzip"}';
  /** A block of the reserved type (RFC 1951 §3.2.3): text would be taken for compressed data for megabytes. */
  const NO_DEFLATE_BLOCK = 0xff;

  it('that is not what its content-encoding says is a 502, also while the upstream goes on', async () => {
    const stage = await start();
    const { client, call } = await stage.open(asking({ body: JSON_BODY }));
    call.head(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    call.write(NO_GZIP.repeat(10));
    call.write(NO_GZIP.repeat(100_000));
    await expectBrokenOff(client);
    expect((await stage.record(0)).refusal).toBe('upstream_broken');
  });

  it('that is no longer what its content-encoding says is cut, also while the upstream goes on', async () => {
    const stage = await start();
    const { client, call } = await stage.open(asking({ body: JSON_BODY }));
    call.head(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    call.write(gzipSync(LONG_HALF, { finishFlush: constants.Z_SYNC_FLUSH }));
    await client.body('what was compressed arrives', (text) => text.length === LONG_HALF.length);
    call.write(Buffer.alloc(2_000_000, NO_DEFLATE_BLOCK));
    expect(await client.response()).toMatchObject({ status: 200, ending: 'cut' });
    expect((await stage.record(0)).end).toBe('truncated');
  });
});
