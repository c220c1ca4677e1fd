import type { CacheUsage } from '../cache/cache-types.ts';

/**
 * What the simulator saw, for tests: every call with its bytes as received, and how it ended. An observation is open until
 * its answer has left whole, was refused, was broken by a scripted fault, or its caller went away; it ends exactly once.
 */
type Outcome = 'open' | 'complete' | 'refused' | 'aborted' | 'faulted';

interface BilledUsage extends CacheUsage {
  readonly outputTokens: number;
}

export interface Observation {
  /** The `request-id` of the answer. */
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty until read, and when older than the newest few megabytes. */
  body: Uint8Array<ArrayBuffer>;
  readonly startedAtMs: number;
  endedAtMs: number | undefined;
  outcome: Outcome;
  /** The status of the answer; 0 while there is none. */
  status: number;
  /** What was billed for it; undefined when nothing was. */
  usage: BilledUsage | undefined;
}

export interface Observations {
  /** The newest calls, oldest first. */
  readonly list: readonly Observation[];
  /** Answers in the course of being streamed. */
  readonly openStreams: number;
  /** Calls that have arrived and not ended, streams among them. */
  readonly openRequests: number;
}

export interface ObservationLog extends Observations {
  openStreams: number;
  open(request: Request, id: string, startedAtMs: number): Observation;
  keepBody(observation: Observation, bytes: Uint8Array<ArrayBuffer>): void;
  end(observation: Observation, outcome: Exclude<Outcome, 'open'>, endedAtMs: number): void;
  clear(): void;
}

const NO_BYTES = new Uint8Array(0);

export function createObservationLog(keep: { readonly calls: number; readonly bodyBytes: number }): ObservationLog {
  const list: Observation[] = [];
  let bodyBytes = 0;
  let openRequests = 0;
  const forget = (observation: Observation | undefined) => {
    bodyBytes -= observation?.body.length ?? 0;
    if (observation) observation.body = NO_BYTES;
  };
  return {
    list,
    openStreams: 0,
    get openRequests() {
      return openRequests;
    },
    open(request, id, startedAtMs) {
      const observation = observe(request, id, startedAtMs);
      list.push(observation);
      openRequests += 1;
      while (list.length > keep.calls) forget(list.shift());
      return observation;
    },
    keepBody(observation, bytes) {
      if (!list.includes(observation)) return;
      observation.body = bytes;
      bodyBytes += bytes.length;
      for (const old of list) {
        if (bodyBytes <= keep.bodyBytes || old === observation) break;
        forget(old);
      }
    },
    end(observation, outcome, endedAtMs) {
      if (observation.outcome !== 'open') return;
      observation.outcome = outcome;
      observation.endedAtMs = endedAtMs;
      openRequests -= 1;
    },
    clear() {
      for (const observation of list.splice(0)) forget(observation);
    },
  };
}

function observe(request: Request, id: string, startedAtMs: number): Observation {
  const url = new URL(request.url);
  return {
    id,
    method: request.method,
    path: url.pathname,
    query: url.search,
    headers: Object.fromEntries(request.headers),
    body: NO_BYTES,
    startedAtMs,
    endedAtMs: undefined,
    outcome: 'open',
    status: 0,
    usage: undefined,
  };
}
