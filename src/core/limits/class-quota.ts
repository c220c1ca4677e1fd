import type { AttemptResult } from '../attempt.ts';
import type { HeaderMap } from '../headers.ts';
import { createRateBucket, type RateBucket } from './rate-bucket.ts';
import { readRateLimits, type QuotaKind, type RateLimitFigures } from './rate-limit-headers.ts';

/**
 * The rate limits of one class of models. Until its first answer nothing is known, and only so many tokens may be on their
 * way; an answer without figures opens the gate for good (Foundry sends none), one with figures sets the buckets.
 * An answer's figures contain what was sent up to its own call, and are taken not to contain what was sent after it.
 * Bursts are not paced, because a token bucket allows them; but limits may be enforced in slices of a minute (docs: 60 a
 * minute may be one a second). A 429 at a moment at which all buckets had room says so, and halves what may go at once;
 * each quiet minute doubles it again.
 */
export interface ClassQuota {
  verdict(inputTokens: number, nowMs: number): Verdict;
  book(inputTokens: number, nowMs: number): Charge;
  learn(charge: Charge, headers: HeaderMap, nowMs: number, wallMs: number): void;
  settle(charge: Charge, result: AttemptResult, nowMs: number): void;
  serveInMs(requests: number, inputTokens: number, nowMs: number): number;
  readings(nowMs: number): QuotaReading[];
}

export type Verdict =
  | { readonly kind: 'fits' }
  /** Look again then; a verdict never says when it has become true earlier. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** The class was told to pause: nothing of it will be served before. */
  | { readonly kind: 'paused'; readonly untilMs: number }
  /** Look again when an answer has come. */
  | { readonly kind: 'unknown' };

export interface QuotaReading {
  readonly modelClass: string;
  readonly kind: QuotaKind;
  /** Of a minute. */
  readonly limit: number;
  readonly remaining: number;
  readonly resetInMs: number | null;
}

/** One request that was sent. */
export interface Charge {
  readonly modelClass: string;
  readonly inputTokens: number;
  /** All that had been sent up to this one, itself included. */
  readonly requestsSoFar: number;
  readonly tokensSoFar: number;
}

/** The smallest published limit of input tokens a minute (docs: rate limits, Fable 5.x, Start). */
const UNKNOWN_TOKENS = 500_000;
/** Output counts as it is produced; below what its figures are rounded to, none may be left. */
const OUTPUT_TOKENS = 1_000;
const PAUSE_MS = 1_000;
/** After this even a pause of days is put to the test by a request, for who knows who said it. */
const LONGEST_PAUSE_MS = 300_000;
const SMALLEST_BURST = 1 / 60;
const BURST_DOUBLES_MS = 60_000;

export function createClassQuota(modelClass: string): ClassQuota {
  const buckets = new Map<QuotaKind, RateBucket>();
  const unanswered = new Set<Charge>();
  let unansweredTokens = 0;
  let isOpen = false;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  let requestsSoFar = 0;
  let tokensSoFar = 0;
  let learnedUpTo = 0; // the call, by its number, from whose answer the buckets are
  let burst = 1;
  let burstAtMs = 0;

  const burstNow = (nowMs: number): number => Math.min(1, burst * 2 ** ((nowMs - burstAtMs) / BURST_DOUBLES_MS));

  const bucketWaitMs = (requests: number, inputTokens: number, nowMs: number): number => {
    const amounts = { requests, input_tokens: inputTokens, output_tokens: OUTPUT_TOKENS };
    const waits = [...buckets].map(([kind, bucket]) =>
      bucket.waitMs(amounts[kind], nowMs, kind === 'output_tokens' ? 1 : burstNow(nowMs)),
    );
    return Math.max(0, ...waits);
  };

  const mayGoUnknown = (inputTokens: number): boolean => {
    if (isOpen || buckets.size > 0 || unanswered.size === 0) return true;
    return unansweredTokens + inputTokens <= UNKNOWN_TOKENS;
  };

  const beAnswered = (charge: Charge): void => {
    if (unanswered.delete(charge)) unansweredTokens -= charge.inputTokens;
  };

  const setBuckets = ({ buckets: figures }: RateLimitFigures, charge: Charge, nowMs: number): void => {
    if (charge.requestsSoFar < learnedUpTo) return; // the answer to a later call is known already
    learnedUpTo = charge.requestsSoFar;
    const since = {
      requests: requestsSoFar - charge.requestsSoFar,
      input_tokens: tokensSoFar - charge.tokensSoFar,
      output_tokens: 0,
    };
    for (const [kind, each] of figures) {
      const bucket = buckets.get(kind);
      if (bucket) bucket.learn(each, since[kind], nowMs);
      else buckets.set(kind, createRateBucket(each, since[kind], nowMs));
    }
  };

  const pause = (forMs: number, nowMs: number): void => {
    pausedUntilMs = Math.max(pausedUntilMs, nowMs + Math.min(LONGEST_PAUSE_MS, forMs));
  };

  const beLimited = (charge: Charge, retryAfterMs: number | null, nowMs: number): void => {
    if (buckets.size > 0 && bucketWaitMs(1, charge.inputTokens, nowMs) === 0) {
      burst = Math.max(SMALLEST_BURST, burstNow(nowMs) / 2);
      burstAtMs = nowMs;
      for (const bucket of buckets.values()) bucket.restrain();
    }
    pause(retryAfterMs ?? PAUSE_MS, nowMs);
  };

  return {
    verdict(inputTokens, nowMs) {
      if (pausedUntilMs > nowMs) return { kind: 'paused', untilMs: pausedUntilMs };
      if (!mayGoUnknown(inputTokens)) return { kind: 'unknown' };
      const waitMs = bucketWaitMs(1, inputTokens, nowMs);
      return waitMs > 0 ? { kind: 'wait', untilMs: nowMs + waitMs } : { kind: 'fits' };
    },
    book(inputTokens, nowMs) {
      requestsSoFar++;
      tokensSoFar += inputTokens;
      buckets.get('requests')?.take(1, nowMs);
      buckets.get('input_tokens')?.take(inputTokens, nowMs);
      const charge = { modelClass, inputTokens, requestsSoFar, tokensSoFar };
      unanswered.add(charge);
      unansweredTokens += inputTokens;
      return charge;
    },
    learn(charge, headers, nowMs, wallMs) {
      beAnswered(charge);
      const figures = readRateLimits(headers, wallMs);
      if (figures.buckets.size === 0 && buckets.size === 0) isOpen = true;
      setBuckets(figures, charge, nowMs);
      if (figures.rejectedForMs !== null) pause(figures.rejectedForMs, nowMs);
    },
    settle(charge, result, nowMs) {
      beAnswered(charge);
      if (result.kind === 'failed' && result.failure.kind === 'rate_limited')
        beLimited(charge, result.failure.retryAfterMs, nowMs);
      // What is in the upstream's figure already, it corrects itself; the rest is ours to correct.
      const isInFigure = charge.requestsSoFar <= learnedUpTo;
      if (result.kind !== 'ok' || result.uncachedTokens === null || isInFigure) return;
      buckets.get('input_tokens')?.take(result.uncachedTokens - charge.inputTokens, nowMs);
    },
    serveInMs(requests, inputTokens, nowMs) {
      const pausedMs = Math.max(0, pausedUntilMs - nowMs);
      const amounts = { requests, input_tokens: inputTokens, output_tokens: OUTPUT_TOKENS };
      const waits = [...buckets].map(
        ([kind, bucket]) => ((amounts[kind] - bucket.level(nowMs, 1)) / bucket.limit) * 60_000,
      );
      return Math.max(pausedMs, ...waits);
    },
    readings: (nowMs) =>
      [...buckets].map(([kind, bucket]) => ({
        modelClass,
        kind,
        limit: bucket.limit,
        remaining: Math.max(0, Math.floor(bucket.level(nowMs, 1))),
        resetInMs: bucket.resetInMs(nowMs),
      })),
  };
}
