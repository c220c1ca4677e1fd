import { describe, expect, it } from 'vitest';
import { DEFAULT_TIMING } from '../../src/simulator/settings.ts';
import { ask, markersOf, textOf, user } from '../support/cache-bodies.ts';
import { eventually } from '../support/eventually.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { managed } from '../support/gateway-under-test.ts';
import { postMessages, type MessagesAnswer } from '../support/messages-client.ts';
import { useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';

/** Many requests on one cold prefix, on the simulator's own pace: 0.5 s and 50 µs a token to the first event. */
const startStage = useSimulatorStage();

const DEADLINE_MS = 60_000;
const PREFIX_TOKENS = 20_000;
/** 500 ms and 20,000 × 50 µs; the question behind the prefix adds next to nothing. */
const PREFILL_MS = 1_500;
const SYSTEM = textOf('A manual that all of them ask about.', PREFIX_TOKENS);

interface Scene {
  readonly stage: SimulatorStage;
  readonly clock: FakeClock;
  ask(name: string, options?: AskOptions): Promise<MessagesAnswer>;
  /** So many at once, and waits until all of them have their slot. */
  crowd(count: number, options?: AskOptions): Promise<Promise<MessagesAnswer>[]>;
  /** Waits without moving the clock. */
  reached(calls: number): Promise<void>;
  /** Lets time pass in small steps until it is so. */
  until(label: string, isSo: () => boolean | Promise<boolean>): Promise<void>;
}

interface AskOptions {
  readonly stream?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

async function start(cacheSettings = ''): Promise<Scene> {
  const clock = createFakeClock();
  const settings = (url: string): string =>
    `${managed('maxConcurrency: 64')(url)}cache: { prolong: no${cacheSettings && `, ${cacheSettings}`} }\n`;
  const stage = await startStage({ clock, settings, simulator: { timing: { ...DEFAULT_TIMING, jitter: 0 } } });
  const scene: Scene = {
    stage,
    clock,
    ask(name, { stream = true, headers = {}, signal } = {}) {
      const body = ask({ system: SYSTEM, messages: [user(`A question of ${name}?`)], stream });
      const all = { 'x-simulator-output-tokens': '5', ...headers };
      return postMessages(stage.baseUrl, body, { headers: all, ...(signal ? { signal } : {}) });
    },
    async crowd(count, options) {
      const before = await inUse(stage);
      const answers = Array.from({ length: count }, (_, at) => scene.ask(`number ${at}`, options));
      for (const answer of answers) answer.catch(() => {}); // those that hang up reject, and are looked at later or never
      await eventually(
        `${count} more have their slot`,
        DEADLINE_MS,
        async () => (await inUse(stage)) === before + count,
      );
      return answers;
    },
    reached: (calls) => eventually(`${calls} calls at the upstream`, DEADLINE_MS, () => stage.seen.length === calls),
    until: (label, isSo) =>
      eventually(label, DEADLINE_MS, async () => {
        if (await isSo()) return true;
        await clock.advance(40);
        return isSo();
      }),
  };
  return scene;
}

async function inUse(stage: SimulatorStage): Promise<number> {
  return (await stage.slots()).get('acme')?.inUse ?? 0;
}

async function finish({ stage, until }: Scene, answers: readonly Promise<MessagesAnswer>[]): Promise<MessagesAnswer[]> {
  let open = answers.length;
  for (const answer of answers) void answer.then(() => open--, () => open--); // prettier-ignore
  await until('all are answered', async () => open === 0 && (await inUse(stage)) === 0);
  return Promise.all(answers);
}

const readsOf = ({ seen }: SimulatorStage): number[] => seen.flatMap(({ usage }) => usage?.readTokens ?? []);
const writesOf = ({ seen }: SimulatorStage): number[] =>
  seen.flatMap(({ usage }) => (usage ? usage.write5mTokens + usage.write1hTokens : []));

describe('64 requests at once on one cold prefix', () => {
  it('are one write and 63 reads, and each waits no longer than the leader’s first content', async () => {
    const scene = await start();
    const { stage } = scene;
    const crowd = await scene.crowd(64);
    await scene.reached(1);
    const answers = await finish(scene, crowd);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(writesOf(stage).filter((tokens) => tokens >= PREFIX_TOKENS)).toHaveLength(1);
    expect(readsOf(stage).filter((tokens) => tokens === PREFIX_TOKENS)).toHaveLength(63);
    const metrics = await stage.metrics();
    const role = (labels: Record<string, string>) => metrics.sum('slipstream_single_flight_total', labels);
    expect([role({ role: 'leader' }), role({ role: 'follower', outcome: 'landed' }), role({})]).toEqual([1, 63, 64]);
    const heldSeconds = metrics.sum('slipstream_single_flight_hold_seconds_sum') / 63;
    expect(heldSeconds).toBeGreaterThan(1.4);
    expect(heldSeconds).toBeLessThan(1.8);
  });

  it('without single-flight are 64 writes', async () => {
    const scene = await start('singleFlight: false');
    // By its first answer an upstream tells that it has no rate limit; until then only so many tokens are risked.
    const first = postMessages(scene.stage.baseUrl, ask({ messages: [user('Hello?')], stream: true }));
    await scene.reached(1);
    await finish(scene, [first]);
    const answers = await scene.crowd(64);
    await scene.reached(1 + 64);
    await finish(scene, answers);
    expect(readsOf(scene.stage).filter((tokens) => tokens > 0)).toEqual([]);
    expect((await scene.stage.metrics()).sum('slipstream_single_flight_total')).toBe(0);
  });
});

describe('a leader', () => {
  it.each([
    ['is answered 529', '529', 529],
    ['has its connection cut before the first event', 'cut;after=headers', 502],
    ['gets an error event before any content', 'error-in-stream;after=0', 200],
  ])('that %s promotes exactly one follower', async (_what, fault, status) => {
    const scene = await start();
    const { stage } = scene;
    const leader = scene.ask('the leader', { headers: { 'x-simulator-fault': `stall-headers;ms=200,${fault}` } });
    const ended = leader.then(({ status }) => status, () => 0); // prettier-ignore
    await scene.reached(1);
    const crowd = await scene.crowd(8);
    await scene.until('the leader fails', () => stage.seen[0]?.outcome === 'faulted');
    await scene.reached(2);
    await scene.clock.advance(PREFILL_MS / 2);
    expect(stage.seen).toHaveLength(2);
    await finish(scene, crowd);
    expect(await ended).toBe(status);
    expect(readsOf(stage).filter((tokens) => tokens === PREFIX_TOKENS)).toHaveLength(7);
    const metrics = await stage.metrics();
    expect(metrics.sum('slipstream_single_flight_total', { role: 'promoted' })).toBe(1);
    expect(metrics.sum('slipstream_single_flight_total', { role: 'follower', outcome: 'landed' })).toBe(7);
  });

  it('whose caller hangs up promotes exactly one follower', async () => {
    const scene = await start();
    const leaving = new AbortController();
    const leader = scene.ask('the leader', { signal: leaving.signal });
    await scene.reached(1);
    const crowd = await scene.crowd(4);
    leaving.abort();
    await expect(leader).rejects.toThrow('aborted');
    await scene.reached(2);
    await finish(scene, crowd);
    expect(readsOf(scene.stage).filter((tokens) => tokens === PREFIX_TOKENS)).toHaveLength(3);
  });

  it('that is slower than twice what its prefix takes is waited for no longer, and by nobody who comes later', async () => {
    const scene = await start();
    const slow = scene.ask('the slow one', { headers: { 'x-simulator-fault': 'stall-headers;ms=5000' } });
    await scene.reached(1);
    const crowd = await scene.crowd(3);
    await scene.clock.advance(2_500); // of 20,000 tokens the gateway takes about 16,700 until an answer has told it better
    expect(scene.stage.seen).toHaveLength(1);
    await scene.clock.advance(300);
    await scene.reached(4);
    const late = await scene.crowd(1);
    await scene.clock.advance(0);
    await scene.reached(5);
    await finish(scene, [slow, ...crowd, ...late]);
    const metrics = await scene.stage.metrics();
    expect(metrics.sum('slipstream_single_flight_total', { role: 'follower', outcome: 'timed_out' })).toBe(4);
  });

  it('that answers in one piece, which begins unseen, is taken to have begun after half as long again as usual', async () => {
    const scene = await start();
    const options = { stream: false, headers: { 'x-simulator-output-tokens': '1200' } }; // 20 s of decoding
    const leader = scene.ask('the leader', options);
    await scene.reached(1);
    const crowd = await scene.crowd(8, { stream: false });
    await finish(scene, [leader, ...crowd]);
    expect(readsOf(scene.stage).filter((tokens) => tokens === PREFIX_TOKENS)).toHaveLength(8);
    const [first, ...others] = scene.stage.seen;
    for (const { startedAtMs, body } of others) {
      expect(startedAtMs - (first?.startedAtMs ?? 0)).toBeGreaterThan(PREFILL_MS);
      expect(startedAtMs - (first?.startedAtMs ?? 0)).toBeLessThan(1.5 * PREFILL_MS);
      expect(markersOf(body).length).toBeGreaterThan(0);
    }
    expect(others).toHaveLength(8);
  });
});

describe('a follower', () => {
  it('waits no longer than maxHold', async () => {
    const scene = await start('maxHold: 300ms');
    const leader = scene.ask('the leader');
    await scene.reached(1);
    const crowd = await scene.crowd(2);
    await scene.clock.advance(250);
    expect(scene.stage.seen).toHaveLength(1);
    await scene.clock.advance(60);
    await scene.reached(3);
    await finish(scene, [leader, ...crowd]);
    expect((await scene.stage.metrics()).sum('slipstream_single_flight_total', { outcome: 'timed_out' })).toBe(2);
  });

  it('whose caller hangs up leaves at once, and its slot with it', async () => {
    const scene = await start();
    const leader = scene.ask('the leader');
    await scene.reached(1);
    const leaving = new AbortController();
    const [gone] = await scene.crowd(1, { signal: leaving.signal });
    const [staying] = await scene.crowd(1);
    leaving.abort();
    await expect(gone).rejects.toThrow('aborted');
    await eventually('its slot is free', DEADLINE_MS, async () => (await inUse(scene.stage)) === 2); // no time has passed
    expect((await scene.stage.metrics()).sum('slipstream_single_flight_total', { outcome: 'abandoned' })).toBe(1);
    await finish(scene, [leader, staying as Promise<MessagesAnswer>]);
    expect(scene.stage.seen).toHaveLength(2);
  });

  it('never waits once the flight has landed: the next on the prefix goes at once, though the leader still streams', async () => {
    const scene = await start();
    const leader = scene.ask('the leader', { headers: { 'x-simulator-output-tokens': '600' } }); // 10 s of decoding
    await scene.reached(1);
    await scene.until('the leader has content', () => (scene.stage.seen[0]?.usage?.outputTokens ?? 0) > 0);
    const next = scene.ask('the next');
    await scene.reached(2); // without a tick of the clock
    await finish(scene, [leader, next]);
    expect((await next).headers.get('server-timing')).toMatch(/hold;dur=0\.0/);
    expect(readsOf(scene.stage)).toEqual([0, PREFIX_TOKENS]);
  });

  it('that finds the prefix written and long dead leads again', async () => {
    const scene = await start();
    await finish(scene, await scene.crowd(2));
    await scene.clock.advance(3_600_000);
    const crowd = await scene.crowd(3);
    await scene.reached(3);
    await finish(scene, crowd);
    expect(readsOf(scene.stage)).toEqual([0, PREFIX_TOKENS, 0, PREFIX_TOKENS, PREFIX_TOKENS]);
  });
});
