import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/node/system-clock.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { renderedBodies } from '../prompt/bodies.ts';
import { assistant, markersOf, user } from '../support/cache-bodies.ts';
import { longBodies, type LongBody } from '../support/long-bodies.ts';
import { postMessages } from '../support/messages-client.ts';
import { useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';

/** Whatever a caller sends, the markers that the gateway adds make no difference to whether it is answered, and with what. */
const startStage = useSimulatorStage();

const HEADERS = { 'anthropic-version': '2023-06-01', 'content-type': 'application/json', 'x-api-key': 'any' };

interface Verdict {
  readonly status: number;
  readonly said: unknown;
}

function verdictOf(status: number, text: string): Verdict {
  const { content, error } = JSON.parse(text) as { content?: unknown; error?: unknown };
  return { status, said: content ?? error };
}

/** The answer to the caller's own bytes, from a simulator that the gateway is not in front of. */
async function direct(twin: ReturnType<typeof createSimulator>, body: string): Promise<Verdict> {
  const request = new Request('http://claude.test/v1/messages', { method: 'POST', headers: HEADERS, body });
  const response = await twin.fetch(request);
  return verdictOf(response.status, await response.text());
}

function checkMarkers(original: string, sent: Uint8Array): void {
  const own = markersOf(Buffer.from(original));
  const all = markersOf(sent);
  expect(all).toEqual(expect.arrayContaining(own));
  const automatic = /"cache_control":\{[^{}]*\}\}$/.test(original) ? 1 : 0;
  expect(all.length + automatic).toBeLessThanOrEqual(4);
  const ttls = all.map(({ ttl }) => ttl);
  expect(ttls.lastIndexOf('1h')).toBeLessThanOrEqual(ttls.includes('5m') ? ttls.indexOf('5m') : ttls.length);
}

async function compare(stage: SimulatorStage, twin: ReturnType<typeof createSimulator>, body: string): Promise<number> {
  const calls = stage.seen.length;
  const { status, text } = await postMessages(stage.baseUrl, body);
  const through = verdictOf(status, text);
  const expected = await direct(twin, body);
  expect(through.status).toBe(expected.status);
  if (stage.seen.length === calls) return 0; // not JSON at all: the gateway's own 400
  expect(through.said).toEqual(expected.said);
  const sent = stage.newest().body;
  if (status === 200) checkMarkers(body, sent);
  return Buffer.from(sent).equals(Buffer.from(body)) ? 0 : 1;
}

/** The same conversation with an answer and another question. */
function nextTurn({ messages, ...body }: LongBody): LongBody {
  return { ...body, messages: [...messages, assistant('Well.'), user('And then?')] };
}

describe('a request through the gateway in auto', () => {
  it('is answered as the same request without a gateway: long bodies, with callers’ markers legal and not', async () => {
    const stage = await startStage();
    const twin = createSimulator({ clock: systemClock });
    let touched = 0;
    await fc.assert(
      fc.asyncProperty(longBodies, async (body) => {
        touched += await compare(stage, twin, JSON.stringify(body));
        touched += await compare(stage, twin, JSON.stringify(nextTurn(body)));
      }),
      { numRuns: 150 },
    );
    const metrics = await stage.metrics();
    expect(touched).toBeGreaterThan(50);
    expect(metrics.sum('slipstream_retries_total')).toBe(0);
    expect(metrics.sum('slipstream_cache_results_total', { result: 'hit' })).toBeGreaterThan(0);
  });

  it('is answered as the same request without a gateway: hostile bodies, however they are written', async () => {
    const stage = await startStage();
    const twin = createSimulator({ clock: systemClock });
    await fc.assert(
      fc.asyncProperty(renderedBodies, async ({ text }) => void (await compare(stage, twin, text))),
      { numRuns: 150 },
    );
    expect((await stage.metrics()).sum('slipstream_retries_total')).toBe(0);
  });
});
