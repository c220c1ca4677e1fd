import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask, assistant, textOf, user } from '../../support/cache-bodies.ts';
import { wholeStream, type WireUsage } from '../../support/claude-answers.ts';
import { eventually } from '../../support/eventually.ts';
import { createCountedGateway, type CountedGateway } from './counted-gateway.ts';

/**
 * The calls to objects that a request waits for before its upstream is asked: what docs/deploy.md and the head of
 * durable-engine.ts say. On the real objects; only the upstream is played, in place of the isolate's fetch.
 */
const DEADLINE_MS = 10_000;
const PREFIX_TOKENS = 20_000;
const WRITTEN: WireUsage = { input_tokens: 8, cache_creation_input_tokens: PREFIX_TOKENS, output_tokens: 1 };
const ACME = 'gateway-key-of-acme';
const GLOBEX = 'gateway-key-of-globex';
const SENT = 'sent';

let gateways: CountedGateway[] = [];
let stages = 0;
/** Resolved when the upstream may answer. */
let mayAnswer: Promise<void>;
beforeEach(() => {
  mayAnswer = Promise.resolve();
  vi.stubGlobal('fetch', async () => {
    for (const { calls } of gateways) calls.push(SENT);
    await mayAnswer;
    return new Response(wholeStream(WRITTEN), { headers: { 'content-type': 'text/event-stream' } });
  });
});
afterEach(() => vi.unstubAllGlobals());

/** Two isolates, on objects of their own. */
function isolates(ofAcme = ''): [CountedGateway, CountedGateway] {
  const name = `calls-${++stages}`;
  const settings = `
upstreams:
  - { id: ${name}, baseUrl: "http://upstream.test", apiKey: upstream-key }
tenants:
  - { id: ${name}-acme, keys: [${ACME}]${ofAcme} }
  - { id: ${name}-globex, keys: [${GLOBEX}] }
cache: { prolong: no }
`;
  const two: [CountedGateway, CountedGateway] = [createCountedGateway(settings), createCountedGateway(settings)];
  gateways = two;
  return two;
}

const about = (...messages: object[]): object =>
  ask({ system: textOf(`The manual of ${stages}.`, PREFIX_TOKENS), messages, stream: true });
const question = (of: string): object => about(user(`A question of ${of}?`));

async function waitedFor(gateway: CountedGateway, body: object, key = ACME): Promise<string[]> {
  gateway.calls.length = 0;
  expect((await gateway.ask(body, key)).status).toBe(200);
  return untilSent(gateway);
}

/** What is told is not waited for. */
function untilSent({ calls }: CountedGateway): string[] {
  return calls.slice(0, calls.indexOf(SENT)).filter((call) => call !== 'tenant.tell');
}

describe('before its upstream is asked a request waits for', () => {
  it('three objects where it writes a prefix that is cold', async () => {
    const [here] = isolates();
    expect(await waitedFor(here, question('all'))).toEqual(['tenant.acquire', 'flights.join', 'upstream.acquire']);
  });

  it('two where nothing is written because all of it can be read, in another isolate as well', async () => {
    const [here, there] = isolates();
    await here.ask(question('all'), ACME);
    expect(await waitedFor(here, question('all'))).toEqual(['tenant.acquire', 'upstream.acquire']);
    expect(await waitedFor(there, question('all'))).toEqual(['tenant.acquire', 'upstream.acquire']);
  });

  it('three where it writes its own end behind what another isolate of the tenant has written', async () => {
    const [here, there] = isolates();
    await here.ask(question('one'), ACME);
    expect(await waitedFor(there, question('another'))).toEqual(['tenant.acquire', 'flights.join', 'upstream.acquire']);
  });

  it('three in each turn of a conversation', async () => {
    const [here] = isolates();
    const turns = [user('Hello'), assistant(textOf('answer', 2_000)), user(textOf('question', 2_000))];
    await here.ask(about(...turns.slice(0, 1)), ACME);
    expect(await waitedFor(here, about(...turns))).toEqual(['tenant.acquire', 'flights.join', 'upstream.acquire']);
  });

  it('three where another tenant has written all of it, of which only the flights can tell', async () => {
    const [here, there] = isolates();
    await here.ask(question('all'), ACME);
    const calls = await waitedFor(there, question('all'), GLOBEX);
    expect(calls).toEqual(['tenant.acquire', 'flights.join', 'upstream.acquire']);
  });

  it('four where it follows a leader of the other isolate, the third of them for that one’s first content', async () => {
    const [here, there] = isolates();
    const upstream = Promise.withResolvers<void>();
    mayAnswer = upstream.promise;
    const leader = here.ask(question('all'), ACME);
    await eventually('the leader is sent', DEADLINE_MS, () => here.calls.includes(SENT));
    there.calls.length = 0;
    const follower = there.ask(question('all'), ACME);
    await eventually('the other follows', DEADLINE_MS, () => there.calls.includes('flights.follow'));
    upstream.resolve();
    await Promise.all([leader, follower]);
    expect(untilSent(there)).toEqual(['tenant.acquire', 'flights.join', 'flights.follow', 'upstream.acquire']);
  });
});

describe('a budget', () => {
  // In a second that passes meanwhile it would be asked for once more, though nobody would wait for the answer.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  it('costs a call in an isolate that has heard nothing of the tenant, and none from then on', async () => {
    const [here] = isolates(', budget: { usd: 10, per: day }');
    const cold = ['tenant.acquire', 'flights.join', 'upstream.acquire'];
    expect(await waitedFor(here, question('one'))).toEqual(['tenant.spent', ...cold]);
    expect(await waitedFor(here, question('two'))).toEqual(cold);
    expect(await waitedFor(here, question('two'))).toEqual(['tenant.acquire', 'upstream.acquire']);
  });

  it('that is spent in two isolates is known with the next slot: who comes then is refused without a call', async () => {
    const [here, there] = isolates(', budget: { usd: 0.12, per: day }'); // a request costs 0.05
    for (const [isolate, of] of [
      [there, 'one'],
      [here, 'two'],
      [there, 'three'],
    ] as const) {
      // prettier-ignore
      expect((await isolate.ask(question(of), ACME)).status).toBe(200);
    }
    there.calls.length = 0;
    expect((await there.ask(question('four'), ACME)).status).toBe(402);
    expect(there.calls).toEqual([]);
  });
});
