import type { AttemptResult, FailureKind } from '../../src/core/attempt.ts';
import type { AdaptiveLimit } from '../../src/core/limits/adaptive-limit.ts';

/**
 * A gateway with one limit in front of one upstream, in simulated time: callers wait for a slot, the upstream serves a call
 * or refuses it quickly, and either end is reported. Seeded, so that a run is the same every time.
 */
export interface Simulation {
  readonly limit: AdaptiveLimit;
  readonly seconds: number;
  /** Calls at once that are asked for; a queue holds what the limit does not let through. */
  readonly demand: number;
  /** What happens to a call that begins as the `serving + 1`th: how long, and how it ends. */
  readonly serve: (call: { serving: number; random: () => number; atMs: number }) => Served;
  readonly startMs?: number;
}

export interface Served {
  readonly tookMs: number;
  readonly result: AttemptResult;
}

export interface Course {
  /** One figure a second. */
  readonly limits: readonly number[];
  readonly served: readonly number[];
  readonly dropped: readonly number[];
}

const STEP_MS = 20;

export function simulate({ limit, seconds, demand, serve, startMs = 0 }: Simulation): Course {
  const random = seeded(7);
  const course = { limits: [] as number[], served: [] as number[], dropped: [] as number[] };
  let running: (Served & { readonly endsMs: number })[] = [];
  for (let second = 0; second < seconds; second++) {
    let [served, dropped] = [0, 0];
    for (let step = 0; step < 1_000; step += STEP_MS) {
      const atMs = startMs + second * 1_000 + step;
      for (const call of running.filter(({ endsMs }) => endsMs <= atMs)) {
        limit.report(call.result, running.length, atMs);
        running = running.filter((other) => other !== call);
        if (call.result.kind === 'ok') served++;
        else dropped++;
      }
      while (running.length < Math.min(limit.current, demand)) {
        const serving = running.filter(({ result }) => result.kind === 'ok').length;
        const call = serve({ serving, random, atMs });
        running.push({ ...call, endsMs: atMs + call.tookMs });
      }
    }
    course.limits.push(limit.current);
    course.served.push(served);
    course.dropped.push(dropped);
  }
  return course;
}

export const sum = (figures: readonly number[]): number => figures.reduce((total, figure) => total + figure, 0);

export function ok(ttftMs: number | null = null, uncachedTokens: number | null = null): AttemptResult {
  return { kind: 'ok', ttftMs, uncachedTokens };
}

export function failed(kind: FailureKind, retryAfterMs: number | null = null): AttemptResult {
  return { kind: 'failed', failure: { kind, retryAfterMs, shouldRetry: null } };
}

/** mulberry32 */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
