import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timelineOf } from '../../src/console/timeline.ts';
import type { WaitKind } from '../../src/core/exchange.ts';
import { noteOf } from '../pipeline/scripted.ts';
import { recordOf, waited } from './records.ts';

/** As `kind from-until`, with the number of a call. */
function story(...given: Parameters<typeof recordOf>): string[] {
  return timelineOf(recordOf(...given)).map(({ kind, atMs, durationMs, call }) => {
    return `${kind}${call ?? ''} ${atMs}-${atMs + durationMs}`;
  });
}

describe('the timeline', () => {
  it('of a plain hit is the call until content, and the stream', () => {
    const attempts = [noteOf({ sentAtMs: 101, endedAtMs: 900 })];
    const timings = { queueMs: 0, firstContentAtMs: 600 };
    const waits = [waited('queue', 100, 100.01)];
    expect(story({ receivedAtMs: 100, endedAtMs: 901, attempts, timings, waits })).toEqual([
      'gateway 0-1',
      'call0 1-500',
      'stream 500-801',
    ]);
  });

  it('of a queued request begins with the waits for its slots', () => {
    const waits = [waited('queue', 1, 51), waited('queue', 52, 60)];
    const attempts = [noteOf({ sentAtMs: 61, endedAtMs: 300 })];
    expect(story({ endedAtMs: 300, attempts, waits, timings: { firstContentAtMs: 200 } })).toEqual([
      'gateway 0-1',
      'queue 1-51',
      'gateway 51-52',
      'queue 52-60',
      'gateway 60-61',
      'call0 61-200',
      'stream 200-300',
    ]);
  });

  it('of a follower has the time for which it was held', () => {
    const waits = [waited('hold', 2, 402)];
    const attempts = [noteOf({ sentAtMs: 402, endedAtMs: 700 })];
    expect(story({ endedAtMs: 700, attempts, waits, timings: { firstContentAtMs: 500 } })).toEqual([
      'gateway 0-2',
      'hold 2-402',
      'call0 402-500',
      'stream 500-700',
    ]);
  });

  it('of a request asked again elsewhere has both calls whole and the pause between them', () => {
    const attempts = [
      noteOf({ sentAtMs: 0, endedAtMs: 80, outcome: 'overloaded' }),
      noteOf({ upstream: 'spare', sentAtMs: 280, endedAtMs: 900 }),
    ];
    const waits = [waited('pause', 80, 280)];
    expect(story({ endedAtMs: 900, attempts, waits, timings: { firstContentAtMs: 400 } })).toEqual([
      'call0 0-80',
      'pause 80-280',
      'call1 280-400',
      'stream 400-900',
    ]);
  });

  it('of a request refused in the queue is the wait', () => {
    expect(story({ endedAtMs: 1_001, status: 429, end: 'refused', waits: [waited('queue', 1, 1_001)] })).toEqual([
      'gateway 0-1',
      'queue 1-1001',
    ]);
  });

  it('of a caller that left before the head ends with the call', () => {
    const attempts = [noteOf({ sentAtMs: 5, endedAtMs: 75, outcome: 'client_abort', status: null })];
    expect(story({ endedAtMs: 75, status: 499, end: 'client_abort', attempts })).toEqual(['gateway 0-5', 'call0 5-75']);
  });

  it('of a stream that was gone on with has the second call within the stream', () => {
    const attempts = [
      noteOf({ sentAtMs: 0, endedAtMs: 900, outcome: 'network' }),
      noteOf({ sentAtMs: 500, endedAtMs: 880 }),
    ];
    expect(story({ endedAtMs: 900, attempts, timings: { firstContentAtMs: 200 } })).toEqual([
      'call0 0-200',
      'stream 200-900',
      'call1 500-880',
    ]);
  });

  it('of an answer in one piece has no stream, and what is left is the gateway’s', () => {
    const attempts = [noteOf({ sentAtMs: 1, endedAtMs: 99 })];
    expect(story({ endedAtMs: 100, isStream: false, attempts })).toEqual([
      'gateway 0-1',
      'call0 1-99',
      'gateway 99-100',
    ]);
  });

  it('of what took no time at all is empty', () => {
    expect(story({ endedAtMs: 0 })).toEqual([]);
  });

  it('adds up to the duration, one step behind the other, whatever has happened', () => {
    const step = fc.record({
      kind: fc.constantFrom<WaitKind | 'call'>('queue', 'hold', 'pause', 'call'),
      gapMs: fc.double({ min: 0, max: 50, noNaN: true }),
      durationMs: fc.double({ min: 0, max: 500, noNaN: true }),
    });
    const course = fc.record({ steps: fc.array(step, { maxLength: 12 }), restMs: fc.nat(500), content: fc.boolean() });
    fc.assert(
      fc.property(course, ({ steps, restMs, content }) => {
        const receivedAtMs = 1_000;
        let atMs = receivedAtMs;
        const waits = [];
        const attempts = [];
        for (const { kind, gapMs, durationMs } of steps) {
          const fromMs = atMs + gapMs;
          atMs = fromMs + durationMs;
          if (kind === 'call') attempts.push(noteOf({ sentAtMs: fromMs, endedAtMs: atMs }));
          else waits.push(waited(kind, fromMs, atMs));
        }
        const endedAtMs = atMs + restMs;
        const firstContentAtMs = content ? (receivedAtMs + endedAtMs) / 2 : null;
        const record = recordOf({ receivedAtMs, endedAtMs, waits, attempts, timings: { firstContentAtMs } });
        const contentAtMs = (firstContentAtMs ?? Number.POSITIVE_INFINITY) - receivedAtMs;
        const line = timelineOf(record).filter(
          ({ kind, atMs: begins }) => kind !== 'call' || begins < contentAtMs - 1e-3,
        );
        let ends = 0;
        for (const one of line) {
          expect(one.atMs).toBeCloseTo(ends, 1);
          ends = one.atMs + one.durationMs;
        }
        const sumMs = line.reduce((sum, { durationMs }) => sum + durationMs, 0);
        expect(Math.abs(sumMs - (endedAtMs - receivedAtMs))).toBeLessThan(0.001 * (line.length + 1));
      }),
    );
  });
});
