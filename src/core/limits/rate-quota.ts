import type { AttemptResult } from '../attempt.ts';
import type { HeaderMap } from '../headers.ts';
import { createClassQuota, type Charge, type ClassQuota, type QuotaReading, type Verdict } from './class-quota.ts';

/**
 * What an upstream's rate limits leave for each class of models, as far as its answers tell. One per upstream; a class is
 * remembered as long as the process runs, since limits outlive idleness, and `model-class.ts` keeps their number small.
 */
export interface RateQuota {
  /** Whether a request of so many uncached input tokens may be sent now. Books nothing. */
  verdict(modelClass: string, inputTokens: number, nowMs: number): Verdict;
  /** A request is sent. */
  book(modelClass: string, inputTokens: number, nowMs: number): Charge;
  /** The head of its answer has come. */
  learn(charge: Charge, headers: HeaderMap, nowMs: number, wallMs: number): void;
  /** Its exchange is over. */
  settle(charge: Charge, result: AttemptResult, nowMs: number): void;
  /** When so many requests with so many tokens in all could have been sent, as things are. */
  serveInMs(modelClass: string, requests: number, inputTokens: number, nowMs: number): number;
  readings(nowMs: number): readonly QuotaReading[];
}

export function createRateQuota(): RateQuota {
  const classes = new Map<string, ClassQuota>();
  const of = (modelClass: string): ClassQuota => {
    const quota = classes.get(modelClass) ?? createClassQuota(modelClass);
    classes.set(modelClass, quota);
    return quota;
  };
  return {
    verdict: (modelClass, inputTokens, nowMs) => of(modelClass).verdict(inputTokens, nowMs),
    book: (modelClass, inputTokens, nowMs) => of(modelClass).book(inputTokens, nowMs),
    learn: (charge, headers, nowMs, wallMs) => of(charge.modelClass).learn(charge, headers, nowMs, wallMs),
    settle: (charge, result, nowMs) => of(charge.modelClass).settle(charge, result, nowMs),
    serveInMs: (modelClass, requests, inputTokens, nowMs) => of(modelClass).serveInMs(requests, inputTokens, nowMs),
    readings: (nowMs) => [...classes.values()].flatMap((quota) => quota.readings(nowMs)),
  };
}

export type { Charge, QuotaReading, Verdict } from './class-quota.ts';
