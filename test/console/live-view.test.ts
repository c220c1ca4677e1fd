import { beforeEach, describe, expect, it } from 'vitest';
import { liveExchange } from '../../src/console/live-view.ts';
import type { LiveExchange } from '../../src/console/contract.ts';
import { createStreamMeter } from '../../src/core/stream-meter.ts';
import { createLiveExchanges, type LiveExchanges } from '../../src/pipeline/live-exchanges.ts';
import { streamHead, textDelta } from '../support/claude-answers.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { contextOf, requestOf, type ScriptedContext } from '../pipeline/scripted.ts';
import { waited, ZERO_WALL_MS } from './records.ts';

let clock: FakeClock;
let live: LiveExchanges;
let context: ScriptedContext;
beforeEach(() => {
  clock = createFakeClock();
  live = createLiveExchanges();
  context = contextOf(clock);
  live.enter(requestOf({ receivedAtMs: 1_000 }), context);
});

const seen = (): LiveExchange =>
  liveExchange(live.list(1)[0] as ReturnType<LiveExchanges['list']>[number], ZERO_WALL_MS);

function stream(...pieces: string[]): void {
  const meter = createStreamMeter();
  for (const piece of pieces) meter.push(new TextEncoder().encode(piece));
  context.notes.answer = meter;
  context.timings.firstContentAtMs = 1_400;
}

describe('an exchange that runs', () => {
  it('begins in the queue, with nobody asked and nothing known', () => {
    expect(seen()).toEqual({
      id: 'slip_1',
      tenant: 'acme',
      model: 'claude-opus-5',
      operation: 'messages',
      startedAtMs: ZERO_WALL_MS + 1_000,
      phase: 'queue',
      upstream: null,
      cache: null,
      ttftMs: null,
      outputTokensEstimate: 0,
      attempts: 0,
    });
  });

  it.each(['queue', 'hold', 'pause'] as const)('waits in %s for as long as that wait is not over', (kind) => {
    const note = { ...waited(kind, 1_000, 1_001), untilMs: null as number | null };
    context.notes.waits.push(note);
    Object.assign(context.notes, { calls: 1, upstream: 'main' });
    expect(seen().phase).toBe(kind);
    note.untilMs = 1_001;
    expect(seen()).toMatchObject({ phase: 'upstream', upstream: 'main', attempts: 1 });
  });

  it('streams from its first content on, and from then on says what the cache did', () => {
    stream(streamHead({ input_tokens: 10, cache_read_input_tokens: 990, output_tokens: 1 }), textDelta('Hi'));
    expect(seen()).toMatchObject({ phase: 'streaming', cache: 'hit', ttftMs: 400 });
  });

  it('is taken to have written a token for every four bytes of its deltas’ text', () => {
    stream(streamHead(), textDelta(''), ...Array.from({ length: 50 }, () => textDelta('four'.repeat(10))));
    expect(seen().outputTokensEstimate).toBeGreaterThan(450);
    expect(seen().outputTokensEstimate).toBeLessThan(550);
  });

  it('is taken to have written a token a delta at the least', () => {
    stream(streamHead(), ...Array.from({ length: 50 }, () => textDelta('a')));
    expect(seen().outputTokensEstimate).toBe(51); // with the one of the head
  });
});
