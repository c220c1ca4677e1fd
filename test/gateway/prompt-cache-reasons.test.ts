import { describe, expect, it } from 'vitest';
import { ask, assistant, block, conversation, textOf, user } from '../support/cache-bodies.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { managed } from '../support/gateway-under-test.ts';
import { postMessages, type MessagesOptions } from '../support/messages-client.ts';
import { useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';

/** Why a request read less than it might have, in `x-slipstream-cache` and in the metric. The simulator is the judge. */
const startStage = useSimulatorStage();

const MINUTE_MS = 60_000;
const A = textOf('The first part of the instructions.', 1_500);
const B = textOf('The second part of them.', 1_500);
const tool = (name: string, description = textOf(name, 900)): object => ({
  name,
  description,
  input_schema: { type: 'object' },
});
const BASE = ask({ system: [block(A), block(B)] });

interface Step {
  readonly body: object;
  readonly options?: MessagesOptions;
  /** What happens before it is sent. */
  readonly before?: (stage: SimulatorStage, clock: FakeClock) => Promise<void> | void;
}

interface Scenario {
  readonly what: string;
  readonly cacheSettings?: string;
  readonly steps: readonly Step[];
  /** The header on the answer to the last step. */
  readonly says: string;
  readonly reason: string;
}

const after = (minutes: number) => (_stage: SimulatorStage, clock: FakeClock) => clock.advance(minutes * MINUTE_MS);
const byteOf = (body: object, part: object | string): number => {
  const text = JSON.stringify(body);
  return Buffer.byteLength(text.slice(0, text.indexOf(JSON.stringify(part))));
};

const withSystem = (...system: object[]): object => ask({ system });
const withTools = (...tools: object[]): object => ask({ tools, system: A });
const TOOLS = ['read', 'write', 'list'].map((name) => tool(name));
const [read = {}, write = {}, list = {}] = TOOLS;
const otherWrite = tool('write', textOf('write, but safely', 900));
const otherRead = tool('read', textOf('read, but slowly', 900));
const edited = conversation(3, 500);
edited[2] = user('Something else.');

const SCENARIOS: readonly Scenario[] = [
  {
    what: 'a prompt that nobody has sent before',
    steps: [{ body: BASE }],
    says: 'miss; reason=first-seen',
    reason: 'first_seen',
  },
  {
    what: 'the same after its five minutes',
    cacheSettings: 'ttl: 5m',
    steps: [{ body: BASE }, { body: BASE, before: after(5.01) }],
    says: 'miss; reason=expired',
    reason: 'expired',
  },
  {
    what: 'the same after its hour',
    cacheSettings: 'ttl: 1h',
    steps: [{ body: BASE }, { body: BASE, before: after(60.01) }],
    says: 'miss; reason=expired',
    reason: 'expired',
  },
  {
    what: 'another second block of system',
    steps: [{ body: BASE }, { body: withSystem(block(A), block(textOf('Changed.', 1_500))) }],
    says: `miss; reason=prefix-changed; at=system[1]; byte=${byteOf(withSystem(block(A), block(textOf('Changed.', 1_500))), block(textOf('Changed.', 1_500)))}`,
    reason: 'prefix_changed',
  },
  {
    what: 'another first block of system before the same second one',
    steps: [{ body: BASE }, { body: withSystem(block(textOf('12:31:07', 1_500)), block(B)) }],
    says: `miss; reason=prefix-changed; at=system[0]; byte=${byteOf(withSystem(block(textOf('12:31:07', 1_500)), block(B)), block(textOf('12:31:07', 1_500)))}`,
    reason: 'prefix_changed',
  },
  {
    what: 'another system string before the same question',
    steps: [
      { body: ask({ system: A, messages: [user(B)] }) },
      { body: ask({ system: `${A} 12:31`, messages: [user(B)] }) },
    ],
    says: `miss; reason=prefix-changed; at=system; byte=${byteOf(ask({ system: `${A} 12:31`, messages: [user(B)] }), `${A} 12:31`)}`,
    reason: 'prefix_changed',
  },
  {
    what: 'another definition of the second tool',
    steps: [{ body: withTools(read, write, list) }, { body: withTools(read, otherWrite, list) }],
    says: `miss; reason=tools-changed; at=tools[1]; byte=${byteOf(withTools(read, otherWrite, list), otherWrite)}`,
    reason: 'tools_changed',
  },
  {
    what: 'another definition of the first tool',
    steps: [{ body: withTools(read, write) }, { body: withTools(otherRead, write) }],
    says: `miss; reason=tools-changed; at=tools[0]; byte=${byteOf(withTools(otherRead, write), otherRead)}`,
    reason: 'tools_changed',
  },
  {
    what: 'history that was edited in the middle',
    steps: [{ body: ask({ messages: conversation(3, 500) }) }, { body: ask({ messages: edited }) }],
    says: `miss; reason=prefix-changed; at=messages[2].content; byte=${byteOf(ask({ messages: edited }), 'Something else.')}`,
    reason: 'prefix_changed',
  },
  {
    what: 'another model',
    steps: [{ body: BASE }, { body: { ...BASE, model: 'claude-opus-4-8' } }],
    says: 'miss; reason=model-changed',
    reason: 'model_changed',
  },
  {
    what: 'thinking switched on',
    steps: [{ body: BASE }, { body: { ...BASE, thinking: { type: 'adaptive' } } }],
    says: 'miss; reason=params-changed',
    reason: 'params_changed',
  },
  {
    what: 'another effort, behind tools that stay',
    steps: [
      { body: withTools(read, write) },
      { body: { ...withTools(read, write), output_config: { effort: 'low' } } },
    ],
    says: 'miss; reason=params-changed',
    reason: 'params_changed',
  },
  {
    what: 'another beta',
    steps: [
      { body: BASE },
      { body: BASE, options: { headers: { 'anthropic-beta': 'context-management-2025-06-27' } } },
    ],
    says: 'miss; reason=params-changed',
    reason: 'params_changed',
  },
  {
    what: 'another workspace',
    steps: [{ body: BASE }, { body: BASE, options: { headers: { 'anthropic-workspace-id': 'wrkspc_01Other' } } }],
    says: 'miss; reason=other-domain',
    reason: 'other_domain',
  },
  {
    what: 'a prompt below the minimum',
    steps: [{ body: ask({ system: 'short' }) }],
    says: 'off; reason=below-minimum',
    reason: 'below_minimum',
  },
  {
    what: 'an entry more than 20 positions below all four markers of the caller',
    steps: [{ body: fourMarks(4) }, { body: fourMarks(30) }],
    says: 'miss; reason=lookback',
    reason: 'lookback',
  },
  {
    what: 'an entry that the upstream has dropped before its time',
    steps: [{ body: BASE }, { body: BASE, before: (stage) => stage.simulator.reset() }],
    says: 'miss; reason=evicted',
    reason: 'evicted',
  },
];

/** So many user blocks in front of the question, the last four of them marked. */
function fourMarks(blocks: number): object {
  const texts = Array.from({ length: blocks }, (_, at) =>
    block(textOf(`part ${at}`, 400), at >= blocks - 4 ? '5m' : undefined),
  );
  return ask({ messages: [user(texts), assistant('Noted.'), user('And now?')] });
}

async function start(cacheSettings = '') {
  const clock = createFakeClock();
  const settings = (url: string): string => `${managed()(url)}cache: { ${cacheSettings} }\n`;
  return { clock, stage: await startStage({ clock, settings }) };
}

describe('why a request read less than it might have', () => {
  it.each(SCENARIOS)('$what: $says', async ({ cacheSettings, steps, says, reason }) => {
    const { clock, stage } = await start(cacheSettings);
    let last = '';
    for (const { body, options, before } of steps) {
      await before?.(stage, clock);
      const answer = await postMessages(stage.baseUrl, body, options);
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
      last = answer.cache;
    }
    expect(last).toBe(says);
    const labels = { tenant: 'acme', reason, result: says.split(';')[0] ?? '' };
    expect((await stage.metrics()).sum('slipstream_cache_results_total', labels)).toBe(1);
  });

  it('another request is writing it: not_yet_readable', async () => {
    const { clock, stage } = await start('singleFlight: false');
    const slow = postMessages(stage.baseUrl, BASE, { headers: { 'x-simulator-fault': 'stall-headers;ms=500' } });
    while (stage.seen.length === 0) await clock.advance(0);
    expect((await postMessages(stage.baseUrl, BASE)).cache).toMatch(/^(off|miss); reason=not-yet-readable$/);
    await clock.advance(600);
    expect((await slow).cache).toBe('miss; reason=first-seen');
  });

  it('has no reason where nearly all was read', async () => {
    const { stage } = await start();
    await postMessages(stage.baseUrl, BASE);
    expect((await postMessages(stage.baseUrl, BASE)).cache).toBe('hit');
    expect((await stage.metrics()).sum('slipstream_cache_results_total', { result: 'hit', reason: '' })).toBe(1);
  });

  it('is first_seen for what is new behind a head that was read', async () => {
    const { stage } = await start();
    await postMessages(stage.baseUrl, BASE);
    const answer = await postMessages(stage.baseUrl, { ...BASE, messages: [user(textOf('A document.', 4_000))] });
    expect(answer.cache).toBe('partial; reason=first-seen');
  });

  it('is not params_changed where both ways are in use: each knows its own', async () => {
    const { stage } = await start();
    const thinking = { ...BASE, thinking: { type: 'adaptive' } };
    await postMessages(stage.baseUrl, BASE);
    await postMessages(stage.baseUrl, thinking);
    expect((await postMessages(stage.baseUrl, BASE)).cache).toBe('hit');
    expect((await postMessages(stage.baseUrl, thinking)).cache).toBe('hit');
  });

  it('is told of a model that nobody knows as well', async () => {
    const { stage } = await start();
    const answer = await postMessages(stage.baseUrl, { ...BASE, model: 'claude-of-tomorrow' });
    expect([answer.status, answer.cache]).toEqual([404, 'off; reason=no-usage']);
  });
});
