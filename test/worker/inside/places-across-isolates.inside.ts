import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ask, assistant, user } from '../../support/cache-bodies.ts';
import { wholeStream } from '../../support/claude-answers.ts';
import { eventually } from '../../support/eventually.ts';
import { createCountedGateway } from './counted-gateway.ts';

/** Two upstreams whose caches know nothing of each other, and two isolates that share nothing but the objects. */
const DEADLINE_MS = 10_000;
const KEY = 'gateway-key-of-acme';
const SETTINGS = `
upstreams:
  - { id: places-first, baseUrl: "http://first.test", apiKey: key-of-first }
  - { id: places-second, baseUrl: "http://second.test", apiKey: key-of-second }
tenants:
  - { id: places-acme, keys: [${KEY}] }
`;

let asked: string[];
let mayAnswer: Promise<void>;
beforeEach(() => {
  asked = [];
  mayAnswer = Promise.resolve();
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(new URL(url).hostname);
    await mayAnswer;
    return new Response(wholeStream(), { headers: { 'content-type': 'text/event-stream' } });
  });
});
afterEach(() => vi.unstubAllGlobals());

it('a conversation goes on where it ran, also in an isolate that has never seen it', async () => {
  const [here, there] = [createCountedGateway(SETTINGS), createCountedGateway(SETTINGS)];
  const turn = (...messages: object[]): object => ask({ messages, stream: true });
  const session = { 'x-session-id': 'the conversation' };

  const upstream = Promise.withResolvers<void>();
  mayAnswer = upstream.promise;
  const other = here.ask(turn(user('Something that takes long.')), KEY);
  await eventually('the first upstream is busy', DEADLINE_MS, () => asked.length === 1);
  const opening = here.ask(turn(user('Hello')), KEY, session);
  await eventually('both are upstream', DEADLINE_MS, () => asked.length === 2);
  upstream.resolve();
  await Promise.all([other, opening]);
  expect(asked).toEqual(['first.test', 'second.test']);

  await there.ask(turn(user('Hello'), assistant('Hello.'), user('And now?')), KEY, session);
  expect(asked.at(-1)).toBe('second.test');
});
