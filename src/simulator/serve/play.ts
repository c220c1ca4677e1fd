import type { Clock } from '../../core/clock.ts';
import type { Encode } from './encoding.ts';
import type { Step } from './score.ts';
import { wait } from './wait.ts';

/**
 * Plays a score as a body. Pulled, never pushed: each step leaves when it is due and somebody reads, so at most one timer
 * is set, and a break can't overtake bytes that are still queued. The end is told exactly once; a caller that goes away
 * (abort or cancel) is the end at that moment.
 */
export interface Performance {
  readonly steps: readonly Step[];
  readonly clock: Clock;
  /** The caller's: aborted when it went away. */
  readonly signal: AbortSignal;
  readonly encode: Encode;
  /** Output tokens produced so far. */
  onTokens(tokens: number): void;
  onEnd(outcome: Ending): void;
}

type Ending = 'complete' | 'faulted' | 'aborted';
type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

export function play(performance: Performance): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { steps, clock, signal } = performance;
  const startedMs = clock.nowMs();
  const gone = new AbortController();
  const end = once(performance.onEnd);
  const dueInMs = (step: Step) => startedMs + step.dueMs - clock.nowMs();
  const leave = () => {
    gone.abort();
    end('aborted');
  };
  let next = 0;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start: (controller) => whenAborted(signal, leave, controller),
      async pull(controller) {
        const step = steps[next++] ?? LAST;
        if ((await wait(clock, dueInMs(step), gone.signal)) === 'aborted') return;
        emit(step, controller, performance, end);
        const after = steps[next];
        if (after?.kind === 'end' && dueInMs(after) <= 0) emit(after, controller, performance, end);
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
}

const LAST: Step = { kind: 'end', dueMs: 0, outcome: 'complete' };

function emit(step: Step, controller: Controller, performance: Performance, end: (outcome: Ending) => void): void {
  if (step.kind === 'end') {
    end(step.outcome);
    controller.close();
  } else if (step.kind === 'break') {
    end('faulted');
    controller.error(new Error('simulated: connection cut'));
  } else {
    if (step.kind === 'event') performance.onTokens(step.event.tokens);
    for (const chunk of performance.encode(step)) controller.enqueue(chunk);
  }
}

/** A body that is over is errored in vain, which streams allow; so nothing has to be taken back when it ends. */
function whenAborted(signal: AbortSignal, leave: () => void, controller: Controller): void {
  const abort = () => {
    leave();
    controller.error(signal.reason);
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
}

function once(told: (outcome: Ending) => void): (outcome: Ending) => void {
  let isOver = false;
  return (outcome) => {
    if (isOver) return;
    isOver = true;
    told(outcome);
  };
}
