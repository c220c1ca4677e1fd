import { afterEach, describe, expect, it } from 'vitest';
import { message, streamTail, wholeStream } from '../support/claude-answers.ts';
import { CONSOLE_TOKEN, consoleParts, withConsole } from '../support/console-client.ts';
import { eventually } from '../support/eventually.ts';
import { asking, managed } from '../support/gateway-under-test.ts';
import { connectRaw, requestBytes, type RawResponse } from '../support/raw-client.ts';
import { openStream, startCliBeforeUpstream } from './cli-stage.ts';
import { spawnCli, type RunningCli } from './running-cli.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

const start = (limits: string) => startCliBeforeUpstream(managed('', limits), cleanups);

/** One request on a connection of its own. */
async function ask(cli: RunningCli, parts = asking()): Promise<RawResponse> {
  const client = await connectRaw(cli.port);
  client.send(requestBytes(parts));
  const response = await client.response();
  client.close();
  return response;
}

function portClosed(cli: RunningCli): Promise<void> {
  return eventually('new connections are refused', 3_000, () =>
    connectRaw(cli.port).then(
      (late) => (late.close(), false),
      () => true,
    ),
  );
}

describe('slipstream start, on SIGTERM', () => {
  it('lets a stream finish, takes nothing new, and exits with 0 as soon as the stream is over', async () => {
    const { cli, upstream } = await start('drain: 60s');
    const { client, call } = await openStream(cli, upstream);
    cli.signal('SIGTERM');
    await cli.says('"openExchanges":1');
    await portClosed(cli);
    call.write(streamTail());
    call.end();
    expect(await client.response()).toMatchObject({ text: wholeStream(), ending: 'whole' });
    expect(await cli.exitCode()).toBe(0);
    expect(cli.output).toContain('"stoppedExchanges":0,"cutConnections":0');
  });

  it('is not ready at once, and goes on serving while the notice lasts', async () => {
    const { cli, upstream } = await start('drain: 60s, drainNotice: 50s');
    upstream.script = (call) => call.answer(200, message());
    const keptAlive = await connectRaw(cli.port);
    keptAlive.send(requestBytes(asking()));
    expect((await keptAlive.response()).headers['connection']).toBe('keep-alive');
    cli.signal('SIGTERM');
    await cli.says('draining');
    expect((await ask(cli, { method: 'GET', target: '/readyz' })).status).toBe(503);
    expect((await ask(cli, { method: 'GET', target: '/healthz' })).status).toBe(200);
    const fresh = await ask(cli);
    expect([fresh.status, fresh.headers['connection']]).toEqual([200, 'close']);
    keptAlive.send(requestBytes(asking()));
    const late = await keptAlive.response();
    expect([late.status, late.headers['connection']]).toEqual([200, 'close']);
    cli.signal('SIGTERM');
    expect(await cli.exitCode()).toBe(0);
  });

  it('answers what comes on an open connection after the port was closed', async () => {
    const { cli, upstream } = await start('drain: 60s');
    const { client, call } = await openStream(cli, upstream);
    cli.signal('SIGTERM');
    await portClosed(cli);
    upstream.script = (next) => next.answer(200, message());
    client.send(requestBytes(asking()));
    call.write(streamTail());
    call.end();
    expect((await client.response()).ending).toBe('whole');
    const late = await client.response();
    expect([late.status, late.headers['connection']]).toEqual([200, 'close']);
    expect(await cli.exitCode()).toBe(0);
  });

  it('ends what lasts longer than the drain limit with an error event, and exits with 0', async () => {
    const { cli, upstream } = await start('drain: 100ms');
    const { client, call } = await openStream(cli, upstream);
    cli.signal('SIGTERM');
    const { text, ending } = await client.response();
    expect(ending).toBe('cut');
    expect(text).toContain('event: error');
    expect(await cli.exitCode()).toBe(0);
    await eventually('the upstream call is closed', 3_000, () => call.state === 'closed');
    expect(cli.output).toContain('"stoppedExchanges":1');
  });

  it('is not ended by a SIGHUP while it drains', async () => {
    const { cli, upstream } = await start('drain: 60s');
    const { client, call } = await openStream(cli, upstream);
    cli.signal('SIGTERM');
    await portClosed(cli);
    cli.signal('SIGHUP');
    call.write(streamTail());
    call.end();
    expect((await client.response()).ending).toBe('whole');
    expect(await cli.exitCode()).toBe(0);
    expect(cli.output).not.toContain('settings reloaded');
  });

  it('exits at once when nothing runs', async () => {
    const { cli } = await start('drain: 60s');
    cli.signal('SIGTERM');
    expect(await cli.exitCode()).toBe(0);
  });

  it('ends everything at the second one, and still exits with 0', async () => {
    const { cli, upstream } = await start('drain: 60s, drainNotice: 60s');
    const { client } = await openStream(cli, upstream);
    cli.signal('SIGTERM');
    await cli.says('draining');
    cli.signal('SIGTERM');
    expect((await client.response()).ending).toBe('cut');
    expect(await cli.exitCode()).toBe(0);
    expect(cli.output).toContain('"because":"hurry"');
  });
});

describe('slipstream start, on SIGINT', () => {
  it('keeps no port open for balancers', async () => {
    const { cli } = await start('drain: 60s, drainNotice: 60s');
    cli.signal('SIGINT');
    expect(await cli.exitCode()).toBe(0);
    expect(cli.output).toContain('"noticeMs":0');
  });
});

describe('slipstream start, of the console', () => {
  it('says where it is, and never the token that opens it; a viewer does not hold up the end', async () => {
    const { cli } = await startCliBeforeUpstream(withConsole('', 'drain: 60s'), cleanups);
    await cli.says(`console: http://127.0.0.1:${cli.port}/console, opens with console.token\n`);
    expect(cli.output).not.toContain(CONSOLE_TOKEN);
    const viewer = await connectRaw(cli.port);
    viewer.send(requestBytes(consoleParts('/api/live')));
    await viewer.body('the first snapshot', (text) => text.includes('event: snapshot'));
    cli.signal('SIGTERM');
    expect((await viewer.response()).ending).toBe('whole');
    expect(await cli.exitCode()).toBe(0);
    expect(cli.output).toContain('"stoppedExchanges":0,"cutConnections":0');
  });

  it('says that it is off, and how to switch it on', async () => {
    const { cli } = await start('drain: 0s');
    await cli.says('console: off; console: { token: ${CONSOLE_TOKEN} } in the settings switches it on\n');
  });
});

describe('slipstream start, with an invalid file', () => {
  it('names every problem and exits with 1 without listening', async () => {
    const cli = spawnCli('limits: { drain: 30, bodyBytes: much }\nlisten: { port: 70000 }\n');
    cleanups.push(() => cli.dispose());
    expect(await cli.exitCode()).toBe(1);
    for (const path of ['limits.drain', 'limits.bodyBytes', 'listen.port']) expect(cli.output).toContain(path);
    expect(cli.output).not.toContain('listens on');
  });
});
