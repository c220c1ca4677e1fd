import { REQUEST_ID_HEADER } from '../../src/node/demo/retry-watch.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { ask, assistant, block, textOf, user } from './cache-bodies.ts';
import { UPSTREAM_KEY } from './gateway-under-test.ts';

/**
 * A replay with a little of everything, and what its callers saw of it, so that figures can be held against what happened:
 * conversations that hit the cache, calls that fail once and are made again, some that fail for good, streams that break,
 * callers who leave, a tenant at its limit, what is refused before any upstream. Each request is known at the upstream by
 * its id. Nothing in it depends on how fast anything is.
 */
export interface Asked {
  readonly id: string;
  readonly tenant: string;
  readonly model: string;
  readonly operation: 'messages' | 'count_tokens';
  readonly status: number;
  /** An event stream had begun. */
  readonly isStream: boolean;
  readonly ending: 'whole' | 'broken' | 'left';
}

interface Question {
  readonly tenant: string;
  readonly model: string;
  readonly body: object | string;
  readonly fault?: string;
  /** As soon as there is content. */
  readonly leaves?: true;
  readonly operation?: Asked['operation'];
}

export const mixedSettings = (url: string): string => `
upstreams:
  - { id: main, baseUrl: "${url}", apiKey: ${UPSTREAM_KEY} }
tenants:
  - { id: acme, keys: [gateway-key-of-acme] }
  - { id: globex, keys: [gateway-key-of-globex], budget: { usd: 1000, per: month } }
  - { id: initech, keys: [gateway-key-of-initech] }
  - { id: drainer, keys: [gateway-key-of-drainer], hangUp: drain }
  - { id: crowd, keys: [gateway-key-of-crowd], maxConcurrency: 1, queue: { max: 1, timeout: 10s } }
limits: { retries: 2 }
`;

/** One after the other, each list at once. */
export async function replayMixedTraffic(baseUrl: string, simulator: Simulator): Promise<Asked[]> {
  for (const fault of FAILS_ONCE) simulator.script({ fault, times: 1 });
  const asked: Asked[] = [];
  for (const questions of SCRIPT) {
    const answers = questions.map((question, at) => askOnce(baseUrl, question, `${asked.length + at}`));
    asked.push(...(await Promise.all(answers)));
  }
  return asked;
}

/** Before any content: each is mended by another call. */
const FAILS_ONCE = ['529', '500', 'cut;after=headers', '429;retry-after-ms=20', 'error-in-stream;after=0'];

const [SONNET, OPUS, HAIKU] = ['claude-sonnet-5', 'claude-opus-5-5', 'claude-haiku-4-5'] as const;

function conversation(tenant: string, model: string, turns: number, isStream: boolean): Question[][] {
  return Array.from({ length: turns }, (_, turn) => {
    const past = Array.from({ length: turn }, (_unused, at) => [
      user(textOf(`question ${at}`, 300)),
      assistant(textOf(`answer ${at}`, 300)),
    ]);
    const messages = [...past.flat(), user(textOf(`question ${turn}`, 300))];
    const system = textOf(`instructions of ${tenant}`, 5_000);
    return [{ tenant, model, body: ask({ model, stream: isStream, system, messages }) }];
  });
}

/** For an hour, by the caller's own marker. */
function marked(model: string, name: string): Question {
  return { tenant: 'globex', model, body: ask({ model, system: [block(textOf(name, 5_000), '1h')] }) };
}

const streamOf = (tenant: string, model: string, part: Partial<Question>): Question => ({
  tenant,
  model,
  body: ask({ model, stream: true, max_tokens: 200 }),
  ...part,
});

const SCRIPT: readonly (readonly Question[])[] = [
  ...conversation('acme', SONNET, 4, true),
  ...conversation('acme', OPUS, 4, false),
  ...conversation('globex', HAIKU, 3, true),
  ...['read', 'read', 'written once'].map((name) => [marked(SONNET, name)]),
  ['500', 'cut;after=headers', '400'].map((fault) => streamOf('acme', SONNET, { fault })),
  ['cut;after=3', 'end-early;after=4'].map((fault) => streamOf('initech', SONNET, { fault })),
  [streamOf('initech', OPUS, { fault: 'error-in-stream;after=5' })],
  [SONNET, OPUS].map((model) => streamOf('drainer', model, { fault: 'stall;after=3;ms=300', leaves: true })),
  Array.from({ length: 5 }, () => streamOf('crowd', HAIKU, { fault: 'stall;after=2;ms=300' })),
  [
    { tenant: 'globex', model: SONNET, operation: 'count_tokens', body: { model: SONNET, messages: [user('Hello')] } },
    { tenant: 'acme', model: 'other', body: '{' },
    { tenant: 'nobody', model: 'other', body: ask({}) },
  ],
];

async function askOnce(baseUrl: string, question: Question, number: string): Promise<Asked> {
  const { tenant, model, body, fault, operation = 'messages' } = question;
  const id = `${tenant}-${number}`;
  const caller = new AbortController();
  const response = await fetch(`${baseUrl}/v1/messages${operation === 'count_tokens' ? '/count_tokens' : ''}`, {
    method: 'POST',
    headers: {
      'x-api-key': `gateway-key-of-${tenant}`,
      'anthropic-version': '2023-06-01',
      'content-type': 'application/json',
      [REQUEST_ID_HEADER]: id,
      ...(fault === undefined ? {} : { 'x-simulator-fault': fault }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: caller.signal,
  });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  const ending = question.leaves ? await leave(response, caller) : await hear(response, isStream);
  return { id, tenant, model, operation, status: response.status, isStream, ending };
}

async function hear(response: Response, isStream: boolean): Promise<Asked['ending']> {
  const text = await response.text().catch(() => '');
  return isStream && !text.includes('event: message_stop') ? 'broken' : 'whole';
}

async function leave({ body }: Response, caller: AbortController): Promise<Asked['ending']> {
  const text = body?.pipeThrough(new TextDecoderStream()) ?? [];
  try {
    for await (const chunk of text) if (chunk.includes('content_block_delta')) caller.abort();
  } catch {
    // its own doing
  }
  return 'left';
}
