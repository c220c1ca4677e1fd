import { afterEach, describe, expect, it } from 'vitest';
import { message, streamHead, streamTail, wholeStream } from '../support/claude-answers.ts';
import { eventually } from '../support/eventually.ts';
import { asking, managed } from '../support/gateway-under-test.ts';
import { connectRaw, requestBytes, type RawClient } from '../support/raw-client.ts';
import { startScriptedUpstream, type ScriptedUpstream, type UpstreamCall } from '../support/scripted-upstream.ts';
import { spawnCli, startCli, type RunningCli } from './running-cli.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

const listening = (settings: (url: string) => string, url: string): string => `listen: { port: 0 }${settings(url)}`;

async function start(settings = managed()): Promise<{ upstream: ScriptedUpstream; cli: RunningCli }> {
  const upstream = await startScriptedUpstream();
  cleanups.push(() => upstream.close());
  const cli = await startCli(listening(settings, upstream.url));
  cleanups.push(() => cli.dispose());
  return { upstream, cli };
}

async function openStream(
  cli: RunningCli,
  upstream: ScriptedUpstream,
): Promise<{ client: RawClient; call: UpstreamCall }> {
  const client = await connectRaw(cli.port);
  const index = upstream.calls.length;
  client.send(requestBytes(asking()));
  const call = await upstream.call(index);
  call.sse();
  call.write(streamHead());
  await client.body('the first text arrives', (text) => text === streamHead());
  return { client, call };
}

async function statusOf(cli: RunningCli): Promise<number> {
  const client = await connectRaw(cli.port);
  client.send(requestBytes(asking()));
  const { status } = await client.response();
  client.close();
  return status;
}

describe('slipstream start, on SIGTERM', () => {
  it('lets a stream finish, takes nothing new, and exits with 0 as soon as the stream is over', async () => {
    const { cli, upstream } = await start(managed('', 'drain: 60s'));
    const { client, call } = await openStream(cli, upstream);
    cli.signal('SIGTERM');
    await cli.says('draining');
    await eventually('new connections are refused', 3_000, () =>
      connectRaw(cli.port).then(
        (late) => (late.close(), false),
        () => true,
      ),
    );
    call.write(streamTail());
    call.end();
    expect(await client.response()).toMatchObject({ text: wholeStream(), ending: 'whole' });
    expect(await cli.exitCode()).toBe(0);
    expect(cli.output).toContain('"cutConnections":0');
  });

  it('cuts what lasts longer than the drain limit, and exits with 0', async () => {
    const { cli, upstream } = await start(managed('', 'drain: 100ms'));
    const { client, call } = await openStream(cli, upstream);
    cli.signal('SIGTERM');
    expect((await client.response()).ending).toBe('cut');
    expect(await cli.exitCode()).toBe(0);
    await eventually('the upstream call is closed', 3_000, () => call.state === 'closed');
    expect(cli.output).toContain('"cutConnections":1');
  });

  it('exits at once when nothing runs', async () => {
    const { cli } = await start(managed('', 'drain: 60s'));
    cli.signal('SIGTERM');
    expect(await cli.exitCode()).toBe(0);
  });
});

describe('slipstream start, on SIGHUP', () => {
  it("changes a tenant's limit without dropping an open stream", async () => {
    const { cli, upstream } = await start(managed('maxConcurrency: 1, queue: { max: 0 }'));
    const { client, call } = await openStream(cli, upstream);
    upstream.script = (next) => next.answer(200, message());
    expect(await statusOf(cli)).toBe(429);
    cli.rewriteSettings(listening(managed('maxConcurrency: 2, queue: { max: 0 }'), upstream.url));
    cli.signal('SIGHUP');
    await cli.says('settings reloaded');
    expect(await statusOf(cli)).toBe(200);
    call.write(streamTail());
    call.end();
    expect(await client.response()).toMatchObject({ text: wholeStream(), ending: 'whole' });
  });

  it('says what is wrong with an invalid file and changes nothing', async () => {
    const { cli, upstream } = await start();
    const { client, call } = await openStream(cli, upstream);
    upstream.script = (next) => next.answer(200, message());
    cli.rewriteSettings(listening(managed('maxConcurency: 1'), upstream.url));
    cli.signal('SIGHUP');
    await cli.says('settings unchanged');
    expect(cli.output).toContain('maxConcurency');
    expect(await statusOf(cli)).toBe(200);
    call.write(streamTail());
    call.end();
    expect((await client.response()).ending).toBe('whole');
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
