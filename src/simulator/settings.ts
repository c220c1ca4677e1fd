import type { Clock } from '../core/clock.ts';
import type { RateLimitSettings } from './limits/rate-limits.ts';

/** How a simulator is set up. Everything but the clock has a default; nothing is read from the environment. */
export interface SimulatorOptions {
  /** The only source of time: waits, entry life, limits, dates. */
  readonly clock: Clock;
  /** Decides every answer, id and die; two simulators of one seed answer the same calls alike. Default 1. */
  readonly seed?: number;
  /** Workspace of each known API key; other keys get 401. `any`: every key is known and all are of one workspace. Default any. */
  readonly workspaces?: Readonly<Record<string, string>> | 'any';
  /** Default none. */
  readonly rateLimits?: RateLimitSettings | 'none';
  /** Default instant: no timer is ever set unless a fault orders silence. */
  readonly timing?: Timing | 'instant';
  /** See CacheEngineOptions. Default false. */
  readonly prolong?: boolean;
  /** What becomes of fields and betas the API doesn't know: 400 as the API, or let through. Default refused. */
  readonly unknown?: 'refused' | 'accepted';
  /** How much `observations` keeps; older calls, and older bodies before them, are forgotten. */
  readonly keep?: { readonly calls: number; readonly bodyBytes: number };
}

/** Prefill and decode. The first token comes after base + uncached tokens × their time; both are multiplied by the jitter. */
export interface Timing {
  readonly firstTokenBaseMs: number;
  /** Microseconds for each input token not read from the cache. */
  readonly perUncachedInputTokenUs: number;
  readonly perOutputTokenMs: number;
  /** 0.2: between 80 % and 120 %, by the seed and the request. */
  readonly jitter: number;
  /** Longest silence of a stream before a ping. */
  readonly pingEveryMs: number;
}

export const DEFAULT_TIMING: Timing = {
  firstTokenBaseMs: 500,
  perUncachedInputTokenUs: 50,
  perOutputTokenMs: 1000 / 60,
  jitter: 0.1,
  pingEveryMs: 10_000,
};

const INSTANT: Timing = {
  firstTokenBaseMs: 0,
  perUncachedInputTokenUs: 0,
  perOutputTokenMs: 0,
  jitter: 0,
  pingEveryMs: Number.POSITIVE_INFINITY,
};

export type Settings = Required<Omit<SimulatorOptions, 'timing'>> & { readonly timing: Timing };

export function settle(options: SimulatorOptions): Settings {
  return {
    seed: 1,
    workspaces: 'any',
    rateLimits: 'none',
    prolong: false,
    unknown: 'refused',
    keep: { calls: 1000, bodyBytes: 64 * 1024 * 1024 },
    ...options,
    timing: options.timing === undefined || options.timing === 'instant' ? INSTANT : options.timing,
  };
}

/** The organization all keys of a simulator belong to. */
export const ORGANIZATION = '5e1f0c7a-0000-4000-8000-000000000001';
export const ONLY_WORKSPACE = 'wrkspc_01SimulatorDefault';
