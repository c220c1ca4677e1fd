import { describe, expect, test } from 'vitest';
import type { Timing } from '../../src/simulator/settings.ts';
import { ask, createSession, longText, marked, parseEvents, type Session } from './session.ts';

const TIMING: Timing = {
  firstTokenBaseMs: 500,
  perUncachedInputTokenUs: 50,
  perOutputTokenMs: 10,
  jitter: 0,
  pingEveryMs: 1000,
};
const BODY = ask({ system: [marked(longText('system', 20_000))] });

/** Milliseconds until the response's headers are there. */
async function headersAfterMs(session: Session, body: object, headers: Record<string, string> = {}): Promise<number> {
  const startedMs = session.clock.nowMs();
  let arrivedMs = Number.NaN;
  const response = session.post(body, headers).then((answer) => {
    arrivedMs = session.clock.nowMs();
    return answer;
  });
  for (let step = 0; step < 60 && Number.isNaN(arrivedMs); step++) await session.clock.advance(50);
  await (await response).body?.cancel();
  return arrivedMs - startedMs;
}

describe('the clock of prefill and decode', () => {
  test('the answer begins after the base and the time of the tokens not read from the cache', async () => {
    const session = createSession({ timing: TIMING });
    expect(await headersAfterMs(session, { ...BODY, stream: true })).toBeCloseTo(500 + 20_002 * 0.05, 3);
    expect(await headersAfterMs(session, { ...BODY, stream: true })).toBeCloseTo(500 + 2 * 0.05, 3);
  });

  test('a whole answer takes prefill and decode', async () => {
    const session = createSession({ timing: TIMING });
    const waitedMs = await headersAfterMs(session, ask(), { 'x-simulator-output-tokens': '50' });
    expect(waitedMs).toBeCloseTo(500 + 0.1 + 500, 3);
  });

  test('jitter stays within its share and is the same for the same question', async () => {
    const waits = new Set<number>();
    for (let round = 0; round < 3; round++)
      waits.add(
        await headersAfterMs(createSession({ timing: { ...TIMING, jitter: 0.2 } }), { ...ask(), stream: true }),
      );
    expect(waits.size).toBe(1);
    const [waitedMs = 0] = waits;
    expect(waitedMs).toBeGreaterThanOrEqual(400);
    expect(waitedMs).toBeLessThanOrEqual(601);
  });

  test('tokens leave at their rate, and a long silence is filled with pings', async () => {
    const session = createSession({ timing: TIMING });
    const body = ask({ stream: true, thinking: { type: 'adaptive' }, max_tokens: 1000 });
    const answered = session.post(body, { 'x-simulator-thinking-tokens': '350', 'x-simulator-output-tokens': '10' });
    await session.clock.advance(600);
    const text = (await answered).text();
    const startedMs = session.clock.nowMs();
    await session.clock.advance(10_000);
    const events = parseEvents(await text);
    expect(events.filter((event) => event.name === 'ping')).toHaveLength(1 + 3);
    const observation = session.simulator.observations.list[0];
    expect((observation?.endedAtMs ?? 0) - startedMs).toBeLessThanOrEqual(3600);
    expect(observation?.outcome).toBe('complete');
  });

  test('instant timing sets no timer', async () => {
    const session = createSession();
    await (await session.post({ ...BODY, stream: true })).text();
    await session.message(BODY);
    expect(session.clock.nowMs()).toBe(0);
    expect(session.clock.pending).toBe(0);
  });
});

describe('a caller that goes away', () => {
  test('before the answer began: nothing is billed or written, and no timer is left', async () => {
    const session = createSession({ timing: TIMING });
    const gone = new AbortController();
    const response = session.post({ ...BODY, stream: true }, {}, { signal: gone.signal });
    await session.clock.advance(300);
    gone.abort();
    expect((await response).status).toBe(499);
    expect(session.clock.pending).toBe(0);
    expect(session.simulator.cacheEntries).toBe(0);
    expect(session.simulator.observations.list[0]).toMatchObject({ outcome: 'aborted', usage: undefined });
  });

  test.each(['by abort', 'by cancel'])(
    'in mid-stream, %s: generation ends at once and the tokens so far are billed',
    async (how) => {
      const session = createSession({ timing: TIMING });
      const gone = new AbortController();
      const body = { ...ask({ max_tokens: 1000 }), stream: true };
      const answered = session.post(body, { 'x-simulator-output-tokens': '500' }, { signal: gone.signal });
      await session.clock.advance(600);
      const reader = (await answered).body?.getReader();
      const pump = (async () => {
        for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) continue;
      })().catch(() => undefined);
      expect(session.simulator.observations.openStreams).toBe(1);
      await session.clock.advance(1000);
      if (how === 'by abort') gone.abort();
      else await reader?.cancel();
      await pump;
      expect(session.clock.pending).toBe(0);
      expect(session.simulator.observations).toMatchObject({ openStreams: 0, openRequests: 0 });
      const [observation] = session.simulator.observations.list;
      expect(observation?.outcome).toBe('aborted');
      expect(observation?.usage?.outputTokens).toBeGreaterThan(90);
      expect(observation?.usage?.outputTokens).toBeLessThanOrEqual(110);
    },
  );

  test('while a whole answer is made: the share of it that was generated is billed', async () => {
    const session = createSession({ timing: TIMING });
    const gone = new AbortController();
    const response = session.post(
      ask({ max_tokens: 1000 }),
      { 'x-simulator-output-tokens': '500' },
      { signal: gone.signal },
    );
    await session.clock.advance(500.1 + 2000);
    gone.abort();
    await response;
    expect(session.simulator.observations.list[0]).toMatchObject({ outcome: 'aborted', usage: { outputTokens: 200 } });
    expect(session.clock.pending).toBe(0);
  });
});
