import { describe, expect, it } from 'vitest';
import type { Observation } from '../../src/simulator/observe/observations.ts';
import { ask, block, conversation, markersOf, textOf, user, withoutMarkers } from '../support/cache-bodies.ts';
import { managed } from '../support/gateway-under-test.ts';
import { postMessages } from '../support/messages-client.ts';
import { useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';

const startStage = useSimulatorStage();

const SYSTEM = textOf('Be kind and exact.', 3_000);
const turn = (exchanges: number): object => ask({ system: SYSTEM, messages: conversation(exchanges) });

async function say(stage: SimulatorStage, body: object, headers: Record<string, string> = {}): Promise<Observation> {
  const answer = await postMessages(stage.baseUrl, body, { headers });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return stage.newest();
}

const text = (body: Uint8Array): string => new TextDecoder().decode(body);

describe('a caller that sets no marker', () => {
  it('reads its system prompt and its history from the second turn on', async () => {
    const stage = await startStage();
    const first = await say(stage, turn(0));
    const second = await say(stage, turn(1));
    const third = await say(stage, turn(2));
    expect(first.usage).toMatchObject({ readTokens: 0, uncachedTokens: 0 });
    expect(second.usage?.readTokens).toBe(3_060);
    expect(third.usage?.readTokens).toBe(3_180);
  });

  it('has its body changed by markers only: without them it is the same byte for byte', async () => {
    const stage = await startStage();
    for (let exchanges = 0; exchanges < 4; exchanges++) {
      const { body } = await say(stage, turn(exchanges));
      expect(markersOf(body).length).toBeGreaterThan(0);
      expect(withoutMarkers(body)).toBe(JSON.stringify(turn(exchanges)));
    }
  });

  it('does not have its x-slipstream-cache header forwarded', async () => {
    const stage = await startStage();
    const { headers } = await say(stage, turn(0), { 'x-slipstream-cache': 'auto' });
    expect(Object.keys(headers).filter((name) => name.startsWith('x-slipstream'))).toEqual([]);
  });

  it('below the minimum of its model is left alone', async () => {
    const stage = await startStage();
    const short = ask({ system: textOf('short', 900) });
    for (let turns = 0; turns < 3; turns++) expect(text((await say(stage, short)).body)).toBe(JSON.stringify(short));
  });
});

describe('cache: off', () => {
  it.each([
    ['by the tenant', managed('cache: off'), {}],
    ['by the request', managed(), { 'x-slipstream-cache': 'off' }],
  ])('%s sends the bytes as they came, and says so', async (_who, settings, headers) => {
    const stage = await startStage({ settings });
    for (let exchanges = 0; exchanges < 3; exchanges++) {
      const answer = await postMessages(stage.baseUrl, turn(exchanges), { headers });
      expect(answer.cache).toBe('off; reason=disabled');
      expect(text(stage.newest().body)).toBe(JSON.stringify(turn(exchanges)));
    }
  });

  it('still tells what the caller’s own markers read', async () => {
    const stage = await startStage({ settings: managed('cache: off') });
    const body = ask({ system: [block(SYSTEM, '5m')] });
    expect((await postMessages(stage.baseUrl, body)).cache).toBe('miss; reason=disabled');
    expect((await postMessages(stage.baseUrl, body)).cache).toBe('hit');
    const metrics = await stage.metrics();
    expect(metrics.sum('slipstream_cache_results_total', { result: 'hit', reason: '' })).toBe(1);
  });
});

describe('a place that changes with every request', () => {
  it('is counted among the volatile ones, though every other call fails and is made again', async () => {
    const stage = await startStage({ settings: managed('', '', 1) });
    for (let at = 0; at < 10; at++) {
      if (at % 2 === 0) stage.simulator.script({ fault: '529;retry-after-ms=5', times: 1 });
      await say(stage, ask({ system: [block(`It is ${at}.`), block(SYSTEM)] }));
    }
    const metrics = await stage.metrics();
    expect(metrics.sum('slipstream_retries_total', { reason: 'overloaded' })).toBe(5);
    expect(metrics.sum('slipstream_volatile_prefixes')).toBe(1);
    expect(metrics.sum('slipstream_volatile_prefix_tokens_per_day')).toBeGreaterThan(10 * 3_000);
  });
});

describe('cache: observe', () => {
  it('changes no byte, and books what it would have saved', async () => {
    const stage = await startStage({ settings: managed('cache: observe') });
    for (let exchanges = 0; exchanges < 4; exchanges++) {
      const answer = await postMessages(stage.baseUrl, turn(exchanges));
      expect(answer.cache).toBe('off; reason=observe');
      expect(text(stage.newest().body)).toBe(JSON.stringify(turn(exchanges)));
    }
    const metrics = await stage.metrics();
    // Read instead of paid: 3 × about 3,100 tokens at 0.9 of 3 USD a million, less the first write's premium.
    const lossUsd = metrics.sum('slipstream_observed_loss_usd_total');
    const netUsd = metrics.sum('slipstream_observed_saving_usd_total');
    expect(lossUsd).toBeGreaterThan(0);
    expect(metrics.sum('slipstream_observed_gain_usd_total') - lossUsd).toBeCloseTo(netUsd, 12);
    expect(netUsd).toBeGreaterThan(0.01);
    expect(netUsd).toBeLessThan(0.03);
    expect(metrics.sum('slipstream_breakpoints_total')).toBe(0);
    expect(metrics.sum('slipstream_saved_usd_total')).toBe(0);
  });

  it('holds nobody', async () => {
    const stage = await startStage({ settings: managed('cache: observe') });
    await Promise.all(Array.from({ length: 8 }, () => postMessages(stage.baseUrl, turn(0))));
    const metrics = await stage.metrics();
    expect(metrics.sum('slipstream_single_flight_total')).toBe(0);
    expect(stage.seen).toHaveLength(8);
  });

  it('leaves no entry behind that a request in auto would count on', async () => {
    const stage = await startStage();
    await say(stage, turn(0), { 'x-slipstream-cache': 'observe' });
    const answer = await postMessages(stage.baseUrl, turn(0));
    expect(answer.cache).toMatch(/^miss/);
    expect(answer.cache).not.toContain('evicted');
  });
});

describe('a caller that sets markers itself', () => {
  it('and uses all four, is not touched', async () => {
    const stage = await startStage();
    const marked = (exchanges: number): object =>
      ask({
        system: [block(textOf('one', 1_200), '1h'), block(textOf('two', 1_200), '1h')],
        messages: [
          user([block(textOf('document', 1_500), '5m'), block('Summarise.')]),
          ...conversation(exchanges).slice(1, -1),
          ...(exchanges > 0 ? [user([block(textOf(`question ${exchanges}`, 60), '5m')])] : []),
        ],
      });
    const four = marked(2);
    for (let turns = 0; turns < 3; turns++) expect(text((await say(stage, four)).body)).toBe(JSON.stringify(four));
    expect((await stage.metrics()).sum('slipstream_breakpoints_total', { source: 'gateway' })).toBe(0);
    expect((await stage.metrics()).sum('slipstream_breakpoints_total', { source: 'client' })).toBe(12);
  });

  it('at the top level, keeps it; a free slot is used only where it reads more', async () => {
    const stage = await startStage();
    const body = (name: string): object =>
      ask({
        messages: [user(textOf(name, 400))],
        system: [block(SYSTEM), block('Be brief.')],
        cache_control: { type: 'ephemeral' },
      });
    const added: number[] = [];
    const reads: number[] = [];
    for (const name of ['first', 'second', 'third', 'third']) {
      const { body: sent, usage } = await say(stage, body(name));
      expect(text(sent)).toMatch(/\],"cache_control":\{"type":"ephemeral"\}\}$/);
      expect(withoutMarkers(sent)).toBe(withoutMarkers(Buffer.from(JSON.stringify(body(name)))));
      added.push(markersOf(sent).length);
      reads.push(usage?.readTokens ?? 0);
    }
    expect(Math.max(...added)).toBeLessThanOrEqual(3);
    expect(reads.slice(1)).toEqual([3_004, 3_004, 3_404]);
  });

  it('at the top level and on its last block, which the API takes for one, is answered turn after turn', async () => {
    const stage = await startStage();
    const body = (exchanges: number): object => ({
      ...ask({ system: SYSTEM, cache_control: { type: 'ephemeral' } }),
      messages: [
        ...conversation(exchanges, 400).slice(0, -1),
        user([block(textOf(`question ${exchanges}`, 400), '5m')]),
      ],
    });
    const reads: number[] = [];
    for (const exchanges of [0, 1, 1, 2]) reads.push((await say(stage, body(exchanges))).usage?.readTokens ?? 0);
    expect(reads).toEqual([0, 3_400, 4_200, 4_200]);
  });

  it('keeps every one of them where it stands, whatever is added', async () => {
    const stage = await startStage();
    for (let exchanges = 0; exchanges < 4; exchanges++) {
      const messages = conversation(exchanges);
      const body = ask({ system: [block(SYSTEM, '1h')], messages });
      const { body: sent } = await say(stage, body);
      expect(markersOf(sent)).toContainEqual({ path: 'system[0]', ttl: '1h' });
      expect(text(sent)).toContain(JSON.stringify(block(SYSTEM, '1h')));
    }
  });
});

describe('pictures', () => {
  it('of any weight do not make the gateway misjudge what was read', async () => {
    const stage = await startStage();
    const picture = (name: string): object => ({
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: Buffer.from(name.repeat(50_000)).toString('base64') },
    });
    const heads: string[] = [];
    for (const name of ['one', 'two', 'three', 'two', 'four']) {
      const messages = [user([picture(name), block('What is it?')])];
      const { status, cache } = await postMessages(stage.baseUrl, ask({ system: SYSTEM, messages }));
      if (status !== 200) throw new Error(`${status}`);
      heads.push(cache);
    }
    expect(heads[0]).toBe('miss; reason=first-seen');
    expect(heads.filter((head) => head.includes('evicted'))).toEqual([]);
    expect(heads[1]).toBe('partial; reason=first-seen');
  });
});
