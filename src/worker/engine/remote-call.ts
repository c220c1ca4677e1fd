import type { Clock } from '../../core/clock.ts';

/**
 * Calls to objects. One that breaks (the object was moved, or a deploy ended it) is made once more, because what it had
 * asked for is gone with the object; one that fails again, is refused by an object that has too much to do, or hears nothing
 * for longer than it can take, is told as `unreachable`, and its asker goes on without. What fails is remembered for a
 * while: /readyz says so.
 */
export interface RemoteCalls {
  /** Asks and waits for the answer, which the asker disposes. */
  ask<Answer extends object>(call: () => Promise<Answer>, withinMs: number): Promise<Answer | 'unreachable'>;
  /**
   * The same for an answer that is waited for in the object. When the caller leaves, the wait is left, and what may still
   * come of it is disposed.
   */
  wait<Remote extends Waited, Answer extends Disposable>(
    wait: RemoteWait<Remote, Answer>,
  ): Promise<Answer | 'unreachable' | 'abandoned'>;
  /** Says something and does not wait; the request's context lives until it is said. */
  tell(call: () => Promise<unknown>): void;
  /** null: all is well. */
  readonly trouble: string | null;
}

export interface RemoteWait<Remote, Answer> {
  readonly signal: AbortSignal;
  /** A way to the object, which is asked for anew at each try: the one before may be broken. */
  readonly reach: () => Remote;
  readonly begin: (remote: Remote, wait: string) => Promise<Answer>;
  readonly maxMs: number;
}

/** An object in which one can wait. */
interface Waited {
  leave(wait: string): Promise<void>;
}

export interface RemoteCallsOptions {
  readonly clock: Clock;
  /** Keeps the request's context alive for a promise. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** A name that nobody else gives. */
  readonly newName: () => string;
}

/** Beyond what a wait is allowed to take, for the way there and back. */
const GRACE_MS = 5_000;
const TROUBLE_SHOWN_MS = 10_000;

export function createRemoteCalls({ clock, waitUntil, newName }: RemoteCallsOptions): RemoteCalls {
  let lastTrouble: { readonly atMs: number; readonly what: string } | null = null;
  const note = (error: unknown): 'unreachable' => {
    lastTrouble = { atMs: clock.nowMs(), what: error instanceof Error ? error.message : String(error) };
    return 'unreachable';
  };
  const ask: RemoteCalls['ask'] = async (call, withinMs) => {
    const late = Promise.withResolvers<never>();
    const answer = again(call);
    const cancel = clock.after(withinMs + GRACE_MS, () => {
      late.reject(new Error('an object does not answer'));
      answer.then(dispose, () => {}); // nobody waits for it any more
    });
    try {
      return await Promise.race([answer, late.promise]);
    } catch (error) {
      return note(error);
    } finally {
      cancel();
    }
  };
  const tell: RemoteCalls['tell'] = (call) => waitUntil(call().catch(note));
  return {
    ask,
    tell,
    async wait({ signal, reach, begin, maxMs }) {
      if (signal.aborted) return 'abandoned';
      const name = newName();
      const left = Promise.withResolvers<'abandoned'>();
      const onAbort = (): void => left.resolve('abandoned');
      signal.addEventListener('abort', onAbort, { once: true });
      let remote = reach();
      const answer = ask(() => begin((remote = reach()), name), maxMs);
      const first = await Promise.race([answer, left.promise]);
      signal.removeEventListener('abort', onAbort);
      if (first !== 'abandoned') return first;
      tell(() => remote.leave(name));
      tell(() => answer.then(dispose));
      return first;
    },
    get trouble() {
      return lastTrouble && clock.nowMs() - lastTrouble.atMs < TROUBLE_SHOWN_MS ? lastTrouble.what : null;
    },
  };
}

async function again<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    if (isOverloaded(error)) throw error; // to ask again would make it worse (docs: Durable Objects, error handling)
    return call();
  }
}

function isOverloaded(error: unknown): boolean {
  return error instanceof Error && 'overloaded' in error && error.overloaded === true;
}

function dispose(answer: Partial<Disposable> | 'unreachable'): void {
  if (answer !== 'unreachable') answer[Symbol.dispose]?.();
}
