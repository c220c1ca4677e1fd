import type { Clock } from '../../core/clock.ts';
import type { CacheEngine } from '../cache/engine.ts';
import type { FaultDesk } from '../faults/fault-desk.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { Ledger } from '../observe/ledger.ts';
import type { Observation, ObservationLog } from '../observe/observations.ts';
import type { Settings } from '../settings.ts';
import type { ApiRefusal } from '../wire/api-error.ts';
import type { Caller } from './caller.ts';

/** Everything that outlives a call. Handlers get it with each call and keep nothing of their own. */
export interface World {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly cache: CacheEngine;
  readonly ledger: Ledger;
  readonly observations: ObservationLog;
  readonly limits: RateLimits;
  readonly desk: FaultDesk;
  /** Ids in the API's manner, a new one each time, the same series in every run. */
  nextId(prefix: 'req_011C' | 'msg_01'): string;
}

export interface Call {
  readonly request: Request;
  readonly requestId: string;
  readonly observation: Observation;
  readonly startedAtMs: number;
  /** Who it is, or why it isn't known; answered only where a route asks for a key. */
  readonly caller: Caller | ApiRefusal;
}

/**
 * What a handler gives back. A `whole` answer is over when it is returned; a `streaming` one ends its observation itself;
 * a refusal becomes the API's error JSON.
 */
export type Reply =
  | { readonly kind: 'whole'; readonly response: Response }
  | { readonly kind: 'streaming'; readonly response: Response }
  | ApiRefusal;

export type Handler = (call: Call, world: World) => Promise<Reply> | Reply;

export function whole(body: object, headers: Readonly<Record<string, string>> = {}): Reply {
  return { kind: 'whole', response: Response.json(body, { headers }) };
}
