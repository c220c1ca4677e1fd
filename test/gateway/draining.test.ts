import { describe, expect, it } from 'vitest';
import { message, streamHead, streamTail, wholeStream } from '../support/claude-answers.ts';
import { eventually, within } from '../support/eventually.ts';
import { asking, useStage } from '../support/gateway-under-test.ts';
import { connectRaw, requestBytes } from '../support/raw-client.ts';

/** Going away without breaking anything off: what `start` does on SIGTERM, step by step. */

const start = useStage();
const DEADLINE_MS = 5_000;

describe('a gateway that drains', () => {
  it('is alive and not ready, and refuses what is new with 503 and a time to come back', async () => {
    const stage = await start();
    const ready = { method: 'GET', target: '/readyz' };
    expect((await stage.ask(ready)).status).toBe(200);
    stage.gateway.startDraining();
    expect((await stage.ask(ready)).status).toBe(503);
    expect((await stage.ask({ method: 'GET', target: '/healthz' })).status).toBe(200);
    for (const parts of [asking(), asking({ method: 'GET', target: '/v1/models', body: '' })]) {
      const response = await stage.ask(parts);
      expect(response.status).toBe(503);
      expect(response.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } });
      expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(response.headers['x-should-retry']).toBe('true');
      expect(response.headers['connection']).toBe('close');
    }
    expect(stage.upstream.calls).toHaveLength(0);
  });

  it('lets open streams and waiting answers finish, and is gone as soon as the last one has', async () => {
    const stage = await start();
    const stream = await stage.open();
    stream.call.sse();
    stream.call.write(streamHead());
    await stream.client.body('the first text arrives', (text) => text === streamHead());
    const json = await stage.open();
    stage.gateway.startDraining();
    const closed = stage.server.close(DEADLINE_MS * 4);
    json.call.answer(200, message());
    expect((await json.client.response()).json()).toEqual(message());
    stream.call.write(streamTail());
    stream.call.end();
    expect(await stream.client.response()).toMatchObject({ text: wholeStream(), ending: 'whole' });
    expect(await within('the server is closed', DEADLINE_MS, closed)).toEqual({ cutConnections: 0 });
  });

  it('refuses the next request on a connection whose stream it has let finish, or has closed it', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.sse();
    call.write(streamHead());
    await client.body('the first text arrives', (text) => text === streamHead());
    stage.gateway.startDraining();
    client.send(requestBytes(asking()));
    const closed = stage.server.close(DEADLINE_MS * 4);
    call.write(streamTail());
    call.end();
    expect((await client.response()).ending).toBe('whole');
    expect((await client.response()).status).toBe(503);
    await within('the server is closed', DEADLINE_MS, closed);
    expect(stage.upstream.calls).toHaveLength(1);
  });

  it('takes no new connections, and ends idle ones at once', async () => {
    const stage = await start();
    const idle = await stage.connect();
    idle.send('HEAD / HTTP/1.1\r\nhost: a\r\n\r\n');
    await idle.response({ isHead: true });
    const closed = stage.server.close(DEADLINE_MS);
    await within('the server is closed', 2_000, closed);
    expect(await idle.closed()).toBe('fin');
    await expect(connectRaw(stage.server.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('cuts a stream that lasts longer than the deadline, so that its caller can tell, and ends it upstream', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.sse();
    call.write(streamHead());
    await client.body('the first text arrives', (text) => text === streamHead());
    stage.gateway.startDraining();
    expect(await within('the server is closed', DEADLINE_MS, stage.server.close(50))).toEqual({ cutConnections: 1 });
    expect((await client.response()).ending).toBe('cut');
    await eventually('the upstream call is closed', DEADLINE_MS, () => call.state === 'closed');
  });
});
