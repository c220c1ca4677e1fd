import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { message, streamTail, wholeStream } from '../support/claude-answers.ts';
import { asking, managed, UPSTREAM_KEY } from '../support/gateway-under-test.ts';
import { connectRaw, requestBytes } from '../support/raw-client.ts';
import { startScriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts';
import { listening, openStream, startCliBeforeUpstream } from './cli-stage.ts';
import type { RunningCli } from './running-cli.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

const start = (settings = managed()) => startCliBeforeUpstream(settings, cleanups);
const limitOf = (count: number) => managed(`maxConcurrency: ${count}, queue: { max: 0 }`);

async function statusOf(cli: RunningCli, key?: string): Promise<number> {
  const client = await connectRaw(cli.port);
  client.send(requestBytes(asking({}, key)));
  const { status } = await client.response();
  client.close();
  return status;
}

const answering = (upstream: ScriptedUpstream): void => {
  upstream.script = (call) => call.answer(200, message());
};

describe('slipstream start, on SIGHUP', () => {
  it("changes a tenant's limit without dropping an open stream", async () => {
    const { cli, upstream } = await start(limitOf(1));
    const { client, call } = await openStream(cli, upstream);
    answering(upstream);
    expect(await statusOf(cli)).toBe(429);
    cli.rewriteSettings(listening(limitOf(2)(upstream.url)));
    cli.signal('SIGHUP');
    await cli.says('settings reloaded');
    expect(await statusOf(cli)).toBe(200);
    call.write(streamTail());
    call.end();
    expect(await client.response()).toMatchObject({ text: wholeStream(), ending: 'whole' });
  });

  it('lets a stream on an upstream that was removed run on, and sends what comes then elsewhere', async () => {
    const { cli, upstream } = await start();
    const { client, call } = await openStream(cli, upstream);
    const other = await startScriptedUpstream();
    cleanups.push(() => other.close());
    answering(other);
    cli.rewriteSettings(listening(managed()(other.url).replaceAll('id: main', 'id: other')));
    cli.signal('SIGHUP');
    await cli.says('settings reloaded');
    expect(await statusOf(cli)).toBe(200);
    expect(other.calls).toHaveLength(1);
    expect(upstream.calls).toHaveLength(1);
    call.write(streamTail());
    call.end();
    expect(await client.response()).toMatchObject({ text: wholeStream(), ending: 'whole' });
  });

  it('says what is wrong with an invalid file and changes nothing', async () => {
    const { cli, upstream } = await start();
    const { client, call } = await openStream(cli, upstream);
    answering(upstream);
    cli.rewriteSettings(listening(managed('maxConcurency: 1', 'drain: 30')(upstream.url)));
    cli.signal('SIGHUP');
    await cli.says('settings unchanged');
    expect(cli.output).toMatch(/"path":"tenants\[0\]\.maxConcurency","line":5/);
    expect(cli.output).toMatch(/"path":"limits\.drain","line":7/);
    expect(await statusOf(cli)).toBe(200);
    call.write(streamTail());
    call.end();
    expect((await client.response()).ending).toBe('whole');
  });

  it('names what only a restart can change, and takes the rest', async () => {
    const { cli, upstream } = await start();
    answering(upstream);
    cli.rewriteSettings(
      `listen: { port: 1 }${managed()(upstream.url)}`.replace('gateway-key-of-acme', 'a-new-key-of-acme'),
    );
    cli.signal('SIGHUP');
    await cli.says('settings reloaded');
    expect(cli.output).toContain('"settings":["listen"]');
    expect(await statusOf(cli, 'a-new-key-of-acme')).toBe(200);
    expect(await statusOf(cli)).toBe(401);
  });
});

describe('slipstream start, when its file changes', () => {
  it('takes both of two changes in quick succession', async () => {
    const { cli, upstream } = await start();
    answering(upstream);
    const withKey = (key: string): string => listening(managed()(upstream.url)).replace('gateway-key-of-acme', key);
    cli.rewriteSettings(withKey('the-first-key-of-acme'));
    await cli.says('settings reloaded');
    cli.rewriteSettings(withKey('the-other-key-of-acme'));
    await cli.says('settings reloaded', 2);
    expect(await statusOf(cli, 'the-other-key-of-acme')).toBe(200);
    expect(await statusOf(cli, 'the-first-key-of-acme')).toBe(401);
  });

  it('sees the swap of a Kubernetes config map, which changes a link two steps away', async () => {
    const { cli, upstream } = await start();
    answering(upstream);
    const folder = dirname(cli.settingsPath);
    const publish = (version: string, text: string): void => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'slipstream.yaml'), text);
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    const text = readFileSync(cli.settingsPath, 'utf8');
    publish('..1', text.replace('gateway-key-of-acme', 'the-first-key-of-acme'));
    rmSync(cli.settingsPath);
    symlinkSync(join('..data', 'slipstream.yaml'), cli.settingsPath);
    await cli.says('settings reloaded');
    publish('..2', text.replace('gateway-key-of-acme', 'the-other-key-of-acme'));
    await cli.says('settings reloaded', 2);
    expect(await statusOf(cli, 'the-other-key-of-acme')).toBe(200);
  });

  it('goes on as before while the file is gone, and follows the one that comes', async () => {
    const { cli, upstream } = await start();
    answering(upstream);
    rmSync(cli.settingsPath);
    await cli.says('settings unchanged');
    expect(cli.output).toContain('ENOENT');
    expect(cli.output).not.toContain(UPSTREAM_KEY);
    expect(await statusOf(cli)).toBe(200);
    cli.rewriteSettings(listening(managed()(upstream.url)).replace('gateway-key-of-acme', 'the-other-key-of-acme'));
    await cli.says('settings reloaded');
    expect(await statusOf(cli, 'the-other-key-of-acme')).toBe(200);
  });
});
