import { expect, test } from 'vitest';
import { systemClock } from '../../src/node/system-clock.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { ACME_KEY, managed, passThrough, UPSTREAM_KEY } from '../support/gateway-under-test.ts';
import { CALLER_KEY, useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';
import { parseEvents, type SseEvent } from '../simulator/session.ts';
import {
  answerOf,
  CLAUDE_CODE_HEADERS,
  countOf,
  firstTurn,
  secondTurn,
  type AnswerBlock,
} from './claude-code-requests.ts';

/** What Claude Code does over its `ANTHROPIC_BASE_URL`, said by hand. */
const start = useSimulatorStage();
const UNTOUCHED = managed('cache: off, maxConcurrency: 2, queue: { max: 0 }');
const DEADLINE_MS = 3_000;

/** With both variables set it sends its key twice. */
const CREDENTIALS = { 'x-api-key': ACME_KEY, authorization: `Bearer ${ACME_KEY}` };

function post({ baseUrl }: SimulatorStage, path: string, body: string, extra: Record<string, string> = {}) {
  const hop = { 'accept-encoding': 'gzip, deflate, br, zstd' };
  const headers = { ...CLAUDE_CODE_HEADERS, ...CREDENTIALS, ...hop, ...extra };
  return fetch(`${baseUrl}${path}`, { method: 'POST', headers, body });
}

async function turn(stage: SimulatorStage, body: string, extra: Record<string, string> = {}): Promise<SseEvent[]> {
  const response = await post(stage, '/v1/messages?beta=true', body, extra);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  return parseEvents(await response.text());
}

interface StartUsage {
  readonly input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
}

function messageOf([opening]: readonly SseEvent[]): { usage: StartUsage } {
  if (!opening) throw new Error('an answer without events');
  return opening.data['message'] as { usage: StartUsage };
}

function usageOf(events: readonly SseEvent[]): StartUsage {
  return messageOf(events).usage;
}

function answered(events: readonly SseEvent[]): AnswerBlock[] {
  return answerOf(events.map(({ data }) => data));
}

test.each(['/api/hello', '/'])(
  'its warming probe HEAD %s is answered without a credential and goes nowhere',
  async (path) => {
    const stage = await start();
    const response = await fetch(`${stage.baseUrl}${path}`, { method: 'HEAD', headers: { 'user-agent': 'Bun/1.4.4' } });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
    expect(stage.seen).toHaveLength(0);
  },
);

test('two turns with a tool call reach the upstream byte for byte, and the second reads all of the first', async () => {
  const stage = await start({ settings: UNTOUCHED });
  const first = firstTurn();
  const firstEvents = await turn(stage, first, {
    'x-simulator-tools': 'parallel:2',
    'x-simulator-thinking-tokens': '20',
  });
  const answer = answered(firstEvents);
  expect(answer.map(({ type }) => type)).toEqual(['thinking', 'text', 'tool_use', 'tool_use']);
  const second = secondTurn(answer);
  const secondEvents = await turn(stage, second);
  expect(secondEvents.at(-1)?.name).toBe('message_stop');
  expect(stage.seen.map((call) => Buffer.from(call.body).toString())).toEqual([first, second]);
  expect(stage.seen.map(({ query }) => query)).toEqual(['?beta=true', '?beta=true']);

  const { cache_creation_input_tokens: written, cache_read_input_tokens: none } = usageOf(firstEvents);
  expect([none, usageOf(firstEvents).input_tokens]).toEqual([0, 0]);
  expect(usageOf(secondEvents)).toMatchObject({ cache_read_input_tokens: written, input_tokens: 0 });
  expect((await stage.record(1)).usage).toMatchObject({ cacheRead: written });
});

test('all its headers arrive as they are; of its two credentials neither does', async () => {
  const stage = await start({ settings: UNTOUCHED });
  await turn(stage, firstTurn());
  const { headers } = stage.newest();
  expect(headers).toMatchObject(CLAUDE_CODE_HEADERS);
  const values = Object.values(headers);
  expect(values.filter((value) => value.includes(ACME_KEY))).toEqual([]);
  expect(values.filter((value) => value.includes(UPSTREAM_KEY))).toHaveLength(1);
});

test('in pass-through mode its token is forwarded and its session works', async () => {
  const stage = await start({ settings: passThrough() });
  const token = { 'x-api-key': CALLER_KEY, authorization: `Bearer ${CALLER_KEY}` };
  const answer = answered(await turn(stage, firstTurn(), { ...token, 'x-simulator-tools': 'one' }));
  const events = await turn(stage, secondTurn(answer), token);
  expect(usageOf(events).cache_read_input_tokens).toBeGreaterThan(1000);
  expect(stage.newest().headers).toMatchObject(token);
});

test('the stream is byte for byte what the API wrote, its event lines and pings too', async () => {
  const stage = await start({ settings: UNTOUCHED });
  const through = await (await post(stage, '/v1/messages?beta=true', firstTurn())).text();
  const twin = createSimulator({ clock: systemClock });
  const headers = { ...CLAUDE_CODE_HEADERS, 'x-api-key': CALLER_KEY };
  const init = { method: 'POST', headers, body: firstTurn() };
  const direct = await twin.fetch(new Request('http://claude.test/v1/messages?beta=true', init));
  expect(through).toBe(await direct.text());
  expect(through).toContain('event: ping\n');
});

test('the ids that its next request names are the upstream’s', async () => {
  const stage = await start({ settings: UNTOUCHED });
  const response = await post(stage, '/v1/messages?beta=true', firstTurn());
  expect(response.headers.get('request-id')).toBe(stage.newest().id);
  const [opening] = parseEvents(await response.text());
  expect(opening?.data['message']).toMatchObject({ id: expect.stringMatching(/^msg_01/) as string });
});

test('25 token counts at once are all answered while both slots of the tenant are taken and nobody may queue', async () => {
  const stage = await start({ settings: UNTOUCHED });
  const leaving = new AbortController();
  const headers = { ...CLAUDE_CODE_HEADERS, ...CREDENTIALS, 'x-simulator-fault': 'stall;after=2' };
  const streams = [1, 2].map(() =>
    fetch(`${stage.baseUrl}/v1/messages?beta=true`, {
      method: 'POST',
      headers,
      body: firstTurn(),
      signal: leaving.signal,
    }),
  );
  await eventually('both slots are taken', DEADLINE_MS, () => stage.simulator.observations.openStreams === 2);
  expect((await post(stage, '/v1/messages?beta=true', firstTurn())).status).toBe(429);

  const counts = await Promise.all(
    Array.from({ length: 25 }, (_, index) => post(stage, '/v1/messages/count_tokens?beta=true', countOf(index))),
  );
  expect(counts.map(({ status }) => status)).toEqual(counts.map(() => 200));
  for (const count of counts) expect(await count.json()).toMatchObject({ input_tokens: expect.any(Number) });
  leaving.abort();
  await Promise.allSettled(streams);
});

test('its model discovery gets the whole list with x-api-key alone', async () => {
  const stage = await start();
  const response = await fetch(`${stage.baseUrl}/v1/models?limit=1000`, {
    headers: { 'x-api-key': ACME_KEY, 'anthropic-version': '2023-06-01' },
  });
  const { data, has_more } = (await response.json()) as { data: { id: string }[]; has_more: boolean };
  expect(data.map(({ id }) => id)).toContain('claude-opus-5-5');
  expect(has_more).toBe(false);
});

test('a 400 that it answers by taking features away has the upstream’s own words', async () => {
  const stage = await start();
  const forged: AnswerBlock[] = [
    { type: 'thinking', thinking: 'Hm.', signature: 'bm90IHNpZ25lZA==' },
    { type: 'tool_use', id: 'toolu_01Forged', name: 'Bash', input: {} },
  ];
  const response = await post(stage, '/v1/messages?beta=true', secondTurn(forged));
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { type: 'invalid_request_error', message: expect.stringMatching(/thinking/) },
    request_id: stage.newest().id,
  });
});
