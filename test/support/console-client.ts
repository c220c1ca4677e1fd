import type { Snapshot } from '../../src/console/contract.ts';
import { managed, type Stage } from './gateway-under-test.ts';
import { requestBytes, type RawClient, type RawResponse } from './raw-client.ts';

/** Asks the console of a gateway under test, as its page and its operator's scripts do. */
export const CONSOLE_TOKEN = 'token-of-the-console';

/** As `managed`, with the console switched on. */
export function withConsole(acme = '', limits = '', retries = 0): (upstreamUrl: string) => string {
  return (url) => `${managed(acme, limits, retries)(url)}console: { token: ${CONSOLE_TOKEN} }\n`;
}

export function consoleParts(path: string) {
  return { method: 'GET', target: `/console${path}`, headers: { authorization: `Bearer ${CONSOLE_TOKEN}` } };
}

export function askConsole(stage: Stage, path: string): Promise<RawResponse> {
  return stage.ask(consoleParts(path));
}

/** What it answers, as whoever reads the contract expects it. */
export async function figures<Shape>(stage: Stage, path: string): Promise<Shape> {
  const response = await askConsole(stage, `/api${path}`);
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${response.text}`);
  return response.json() as Shape;
}

/** A viewer of the live figures that has been sent the first of them. */
export async function look(stage: Stage): Promise<RawClient> {
  const client = await stage.connect();
  client.send(requestBytes(consoleParts('/api/live')));
  await client.body('the first snapshot', (text) => text.includes('event: snapshot'));
  return client;
}

/** The newest whole snapshot in what a viewer has been sent. */
export function newestSnapshot(text: string): Snapshot {
  const data = [...text.matchAll(/event: snapshot\ndata: (.*)\n\n/g)].at(-1)?.[1];
  if (data === undefined) throw new Error('no snapshot has come');
  return JSON.parse(data) as Snapshot;
}
