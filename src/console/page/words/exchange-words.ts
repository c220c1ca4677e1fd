import { ERRORS } from '../../../core/errors.ts';
import type { BreakerState } from '../../../core/failures/circuit-breaker.ts';
import type { StreamOutcome } from '../../../core/exchange.ts';
import type { AttemptOutcome } from '../../../pipeline/attempt-labels.ts';
import type { Fault, LiveExchange, TimelineStep } from '../../contract.ts';

/** How requests, calls and upstreams fare, in words. As in cache-words.ts, a code without words does not compile. */
export const ENDS: Readonly<Record<StreamOutcome | 'refused', string>> = {
  complete: 'It was answered in full.',
  client_abort: 'The caller left before the end.',
  reader_stalled: 'The caller stopped reading and was cut off.',
  upstream_error: 'The upstream broke it off with an error event.',
  truncated: 'The upstream broke off without ending it.',
  refused: 'It was refused; no answer of an upstream was passed on.',
};

export const OUTCOMES: Readonly<Record<AttemptOutcome, string>> = {
  ok: 'answered',
  rate_limited: 'rate limited (429)',
  overloaded: 'overloaded (529)',
  server_error: 'server error (5xx)',
  stream_error: 'broke off as a stream',
  network: 'no connection, or it broke',
  timeout: 'no answer in time',
  credential_refused: "refused the gateway's key",
  client_error: 'found the request wrong (4xx)',
  client_abort: 'the caller had left',
};

export const FAULTS: Readonly<Record<Fault, string>> = {
  caller: 'the caller',
  gateway: 'the gateway',
  upstream: 'the upstream',
};

export const PHASES: Readonly<Record<LiveExchange['phase'], string>> = {
  queue: 'waits for a slot',
  hold: 'waits for another to write its prefix',
  pause: 'a call failed; will ask again',
  upstream: 'sent, no content yet',
  streaming: 'streaming',
};

export const STEPS: Readonly<Record<TimelineStep['kind'], string>> = {
  gateway: "gateway's own work",
  queue: 'queue: waits for a slot',
  hold: 'hold: another writes its prefix',
  pause: 'pause before it asks again',
  call: 'call',
  stream: 'stream: first content to the end',
};

export const BREAKERS: Readonly<Record<BreakerState, { readonly name: string; readonly meaning: string }>> = {
  closed: { name: 'in order', meaning: 'Calls go through.' },
  half_open: { name: 'being tried', meaning: 'One call at a time finds out whether it answers again.' },
  open: { name: 'out', meaning: 'It failed too often; no call goes there until it is tried again.' },
  credential_refused: {
    name: 'key refused',
    meaning: "It refuses the gateway's key: look at upstreams[].apiKey in the settings.",
  },
};

/** What the caller was told; the code itself where this page does not know it. */
export function refusalSentence(code: string): string {
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as keyof typeof ERRORS].message : code;
}

/** @returns the code where nobody has found words for it: an honest code is better than nothing. */
export function wordsFor(table: Readonly<Record<string, string>>, code: string): string {
  return Object.hasOwn(table, code) ? (table[code] ?? code) : code.replaceAll('_', ' ');
}
