import { afterEach, describe, expect, it } from 'vitest';
import { serveSimulator, type SimulatorServer } from '../../src/node/demo/serve-simulator.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { connectRaw, requestBytes, type RawResponse } from '../support/raw-client.ts';
import { startCli, startShell, type Child } from './demo-child.ts';

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

function started(child: Child): Child {
  open.push(() => child.kill('SIGKILL'));
  return child;
}

async function serve(): Promise<SimulatorServer> {
  const { fetch } = createSimulator({ clock: systemClock });
  const server = await serveSimulator(fetch, 0);
  open.push(() => server.close());
  return server;
}

/** On a bare socket: the SDKs and fetch drop what came before a broken end. */
async function ask(server: SimulatorServer, fault: string): Promise<RawResponse> {
  const client = await connectRaw(server.port);
  open.push(() => client.close());
  const messages = [{ role: 'user', content: 'Hello' }];
  const headers = {
    host: '127.0.0.1',
    'x-api-key': 'any',
    'anthropic-version': '2023-06-01',
    'x-simulator-fault': fault,
  };
  const body = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 50, stream: true, messages });
  client.send(requestBytes({ headers, body }));
  return client.response();
}

describe('slipstream simulator', () => {
  it('answers its curl line with a whole stream, and ends on SIGTERM with exit code 0', async () => {
    const simulator = started(startCli('simulator', '--port', '0', '--seed', '7'));
    const curl = started(startShell(await simulator.printed(/^curl .+$/m, 'the curl line')));
    expect(await curl.exit('the end of curl')).toBe(0);
    expect(curl.stdout).toMatch(/\nevent: message_stop\ndata: \{"type":"message_stop"\}\n\n$/);
    simulator.kill('SIGTERM');
    expect(await simulator.exit('the end of the simulator')).toBe(0);
    expect(simulator.stderr).toBe('');
  }, 60_000);

  it('ends on SIGINT in the middle of an answer', async () => {
    const simulator = started(startCli('simulator', '--port', '0'));
    const curl = started(startShell(await simulator.printed(/^curl .+$/m, 'the curl line')));
    await curl.printed(/content_block_delta/, 'the first words');
    simulator.kill('SIGINT');
    expect(await simulator.exit('the end of the simulator')).toBe(0);
    expect(await curl.exit('the end of curl')).not.toBe(0);
    expect(simulator.stderr).toBe('');
  }, 60_000);

  it('lets a scripted cut reach the client as a broken connection, not as an end', async () => {
    const server = await serve();
    const { status, text, ending } = await ask(server, 'cut;after=3');
    expect([status, ending]).toEqual([200, 'cut']);
    expect(text).toContain('event: content_block_delta');
    expect(text).not.toMatch(/message_stop|Error/);
  });

  it('passes status, headers and a whole body of an answer that is not streamed', async () => {
    const server = await serve();
    const response = await ask(server, '429;retry-after=2');
    expect([response.status, response.ending]).toEqual([429, 'whole']);
    expect(response.headers['retry-after']).toBe('2');
    expect(response.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
  });

  it('says that its port is taken, and exits with 1', async () => {
    const server = await serve();
    const second = started(startCli('simulator', '--port', String(server.port)));
    expect(await second.exit('the refusal')).toBe(1);
    expect(second.stderr).toContain('EADDRINUSE');
  });
});
