import { streamHead } from '../support/claude-answers.ts';
import { asking } from '../support/gateway-under-test.ts';
import { connectRaw, requestBytes, type RawClient } from '../support/raw-client.ts';
import { startScriptedUpstream, type ScriptedUpstream, type UpstreamCall } from '../support/scripted-upstream.ts';
import { startCli, type RunningCli } from './running-cli.ts';

/** A real process before a scripted upstream; what has to be cleaned up is added to the list of the test file. */
export async function startCliBeforeUpstream(
  settings: (upstreamUrl: string) => string,
  cleanups: (() => Promise<void>)[],
): Promise<{ readonly upstream: ScriptedUpstream; readonly cli: RunningCli }> {
  const upstream = await startScriptedUpstream();
  cleanups.push(() => upstream.close());
  const cli = await startCli(listening(settings(upstream.url)));
  cleanups.push(() => cli.dispose());
  return { upstream, cli };
}

export const listening = (settings: string): string => `listen: { port: 0 }${settings}`;

/** A stream of which the first text has arrived. */
export async function openStream(
  cli: RunningCli,
  upstream: ScriptedUpstream,
): Promise<{ readonly client: RawClient; readonly call: UpstreamCall }> {
  const client = await connectRaw(cli.port);
  const index = upstream.calls.length;
  client.send(requestBytes(asking()));
  const call = await upstream.call(index);
  call.sse();
  call.write(streamHead());
  await client.body('the first text arrives', (text) => text === streamHead());
  return { client, call };
}
