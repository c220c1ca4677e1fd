/**
 * The waits that an object holds, by the names their askers gave them. A signal does not cross from a Worker to an object,
 * so that leaving is a call of its own; one that comes before its wait has begun is remembered by nobody, because calls on
 * one stub arrive in the order in which they were made.
 */
export interface Waits {
  hold<Result>(wait: string, run: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  leave(wait: string): void;
}

export function createWaits(): Waits {
  const open = new Map<string, AbortController>();
  return {
    async hold(wait, run) {
      const caller = new AbortController();
      open.set(wait, caller);
      try {
        return await run(caller.signal);
      } finally {
        open.delete(wait);
      }
    },
    leave: (wait) => open.get(wait)?.abort(),
  };
}
