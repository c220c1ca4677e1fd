import { event, type StreamEvent } from '../answer/events.ts';
import { BEFORE_MESSAGE_START, type Fault, faultOf } from '../faults/fault.ts';
import { errorBody, type ErrorType } from '../wire/api-error.ts';

/**
 * A stream written out before it is played: what leaves, when, and how it ends. Times are milliseconds from the beginning of
 * the answer, so a reader that fell behind gets at once what is overdue. Faults are part of the score, not of the player.
 */
export type Step =
  | { readonly kind: 'event'; readonly dueMs: number; readonly event: StreamEvent }
  | { readonly kind: 'text'; readonly dueMs: number; readonly text: string }
  /** The connection breaks. */
  | { readonly kind: 'break'; readonly dueMs: number }
  /** A clean end of the body, `complete` only after message_stop. */
  | { readonly kind: 'end'; readonly dueMs: number; readonly outcome: 'complete' | 'faulted' };

export interface Pace {
  readonly msPerToken: number;
  readonly pingEveryMs: number;
}

export function writeScore(
  events: readonly StreamEvent[],
  faults: readonly Fault[],
  pace: Pace,
  requestId: string,
): Step[] {
  const steps: Step[] = [];
  const contentEvents = events.filter((one) => one.isContent).length;
  let passed = BEFORE_MESSAGE_START;
  let silenceMs = 0;
  let lastMs = 0;
  const quiet = faultOf(faults, 'no-pings') !== undefined;
  for (const one of [undefined, ...events.filter((event) => !quiet || event.name !== 'ping')]) {
    const atMs = (one?.tokens ?? 0) * pace.msPerToken;
    if (one) {
      if (!quiet) steps.push(...pings(lastMs, atMs, silenceMs, one.tokens, pace));
      steps.push({ kind: 'event', dueMs: atMs + silenceMs, event: one });
      lastMs = atMs;
      if (one.name !== 'message_start' && !one.isContent) continue;
      passed += 1;
    }
    const strike = strikeAt(passed, contentEvents, faults, atMs + silenceMs, requestId);
    silenceMs += strike.silenceMs;
    steps.push(...strike.ending);
    if (strike.ending.length > 0) return steps;
  }
  return [...steps, { kind: 'end', dueMs: lastMs + silenceMs, outcome: 'complete' }];
}

/**
 * Whether the answer is over before any of its content: then it never began, writes nothing and costs nothing. Nor does a
 * JSON answer begin that is an error in the place of a message.
 */
export function neverBegins(faults: readonly Fault[], isStream: boolean): boolean {
  return faults.some((fault) => {
    if (fault.kind === 'error-in-stream') return !isStream || fault.after <= 0;
    return (fault.kind === 'cut' || fault.kind === 'end-early') && fault.after <= 0;
  });
}

function pings(fromMs: number, toMs: number, silenceMs: number, tokens: number, pace: Pace): Step[] {
  const count = Math.max(0, Math.ceil((toMs - fromMs) / pace.pingEveryMs) - 1);
  return Array.from({ length: count }, (_, index) => ({
    kind: 'event' as const,
    dueMs: fromMs + (index + 1) * pace.pingEveryMs + silenceMs,
    event: event('ping', {}, tokens),
  }));
}

/** What happens once `passed` content events have left. A fault ordered for later than the last one strikes there. */
function strikeAt(passed: number, contentEvents: number, faults: readonly Fault[], atMs: number, requestId: string) {
  let silenceMs = 0;
  for (const fault of faults) {
    if (!('after' in fault) || Math.min(fault.after, contentEvents) !== passed) continue;
    if (fault.kind === 'stall') silenceMs += fault.ms;
    else return { silenceMs, ending: endingOf(fault, atMs + silenceMs, requestId) };
  }
  return { silenceMs, ending: [] };
}

function endingOf(fault: Extract<Fault, { after: number }>, dueMs: number, requestId: string): Step[] {
  if (fault.kind === 'cut') return [{ kind: 'break', dueMs }];
  const end = { kind: 'end', dueMs, outcome: 'faulted' } as const;
  if (fault.kind !== 'error-in-stream') return [end];
  const { error, request_id } = errorBody({ type: fault.type as ErrorType, message: messageOf(fault.type) }, requestId);
  return [{ kind: 'event', dueMs, event: event('error', { error, request_id }, 0) }, end];
}

export function messageOf(type: string): string {
  return type === 'overloaded_error' ? 'Overloaded' : 'Internal server error';
}
