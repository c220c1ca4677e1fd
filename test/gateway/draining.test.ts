import { describe, expect, it } from 'vitest';
import { message, streamHead, streamTail, wholeStream } from '../support/claude-answers.ts';
import { eventually, within } from '../support/eventually.ts';
import { asking, managed, useStage } from '../support/gateway-under-test.ts';
import { connectRaw, requestBytes } from '../support/raw-client.ts';

/** Going away without breaking anything off: what `start` does on SIGTERM, step by step. */

const start = useStage();
const DEADLINE_MS = 10_000;

describe('a gateway that drains', () => {
  it('is alive and not ready, and serves what reaches it all the same', async () => {
    const stage = await start();
    const ready = { method: 'GET', target: '/readyz' };
    expect((await stage.ask(ready)).status).toBe(200);
    stage.inProcess.gateway.startDraining();
    expect((await stage.ask(ready)).status).toBe(503);
    expect((await stage.ask({ method: 'GET', target: '/healthz' })).status).toBe(200);
    stage.upstream.script = (call) => call.answer(200, message());
    expect((await stage.ask(asking())).status).toBe(200);
  });

  it('lets open streams and waiting answers finish, and is gone as soon as the last one has', async () => {
    const stage = await start();
    const stream = await stage.open();
    stream.call.sse();
    stream.call.write(streamHead());
    await stream.client.body('the first text arrives', (text) => text === streamHead());
    const json = await stage.open();
    stage.inProcess.gateway.startDraining();
    const closed = stage.inProcess.server.close(DEADLINE_MS * 4);
    json.call.answer(200, message());
    expect((await json.client.response()).json()).toEqual(message());
    stream.call.write(streamTail());
    stream.call.end();
    expect(await stream.client.response()).toMatchObject({ text: wholeStream(), ending: 'whole' });
    expect(await within('the server is closed', DEADLINE_MS, closed)).toEqual({ cutConnections: 0 });
  });

  it('takes no new connections, and ends idle ones at once', async () => {
    const stage = await start();
    const idle = await stage.connect();
    idle.send('HEAD / HTTP/1.1\r\nhost: a\r\n\r\n');
    await idle.response({ isHead: true });
    const closed = stage.inProcess.server.close(DEADLINE_MS);
    await within('the server is closed', 10_000, closed);
    expect(await idle.closed()).toBe('fin');
    await expect(connectRaw(stage.inProcess.server.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('cuts a stream that lasts longer than the deadline, so that its caller can tell, and ends it upstream', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.sse();
    call.write(streamHead());
    await client.body('the first text arrives', (text) => text === streamHead());
    stage.inProcess.gateway.startDraining();
    expect(await within('the server is closed', DEADLINE_MS, stage.inProcess.server.close(50))).toEqual({
      cutConnections: 1,
    });
    expect((await client.response()).ending).toBe('cut');
    await eventually('the upstream call is closed', DEADLINE_MS, () => call.state === 'closed');
  });
});

describe('a gateway that can wait no longer', () => {
  it('ends open streams by an error event and a cut, and refuses what waits, to be asked again', async () => {
    const stage = await start({ settings: managed('maxConcurrency: 2') });
    const stream = await stage.open();
    stream.call.sse();
    stream.call.write(streamHead());
    await stream.client.body('the first text arrives', (text) => text === streamHead());
    const unanswered = await stage.open();
    const queued = await stage.connect();
    queued.send(requestBytes(asking()));
    await eventually('one waits', DEADLINE_MS, async () => (await stage.slots()).get('acme')?.waiting === 1);
    expect(stage.inProcess.gateway.openExchanges).toBe(3);

    expect(stage.inProcess.gateway.stopExchanges()).toBe(3);
    const cut = await stream.client.response();
    expect(cut.ending).toBe('cut');
    expect(cut.text.slice(streamHead().length)).toMatch(/^event: error\ndata: .*"overloaded_error".*\n\n$/);
    for (const { client } of [unanswered, { client: queued }]) {
      const refused = await client.response();
      expect(refused).toMatchObject({ status: 503, ending: 'whole' });
      expect(refused.headers).toMatchObject({ 'x-should-retry': 'true', 'retry-after': '1' });
    }
    await eventually('the calls upstream are over', DEADLINE_MS, () => stage.upstream.openCalls === 0);
    expect(stage.records.map(({ status, end }) => `${status} ${end}`).toSorted()).toEqual([
      '200 truncated',
      '503 refused',
      '503 refused',
    ]);
  });

  it('ends what comes after it, too', async () => {
    const stage = await start();
    stage.inProcess.gateway.stopExchanges();
    expect((await stage.ask(asking())).status).toBe(503);
    expect(stage.upstream.calls).toHaveLength(0);
  });
});
