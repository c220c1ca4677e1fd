/** A caller that can leave, and whose signal counts who listens to it: nobody may, once the waiting is over. */
export interface Caller {
  readonly signal: AbortSignal;
  readonly listeners: number;
  leave(): void;
}

export function createCaller(): Caller {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal) as (...all: unknown[]) => void;
  const remove = signal.removeEventListener.bind(signal) as (...all: unknown[]) => void;
  Object.assign(signal, {
    addEventListener: (type: string, listener: unknown, options?: unknown) => {
      listeners.add(listener);
      add(type, listener, options);
    },
    removeEventListener: (type: string, listener: unknown, options?: unknown) => {
      listeners.delete(listener);
      remove(type, listener, options);
    },
  });
  return {
    signal,
    get listeners() {
      return listeners.size;
    },
    leave: () => controller.abort(),
  };
}

/** Longer than any test: on however busy a machine, nobody times out who is not to. */
export const PATIENT_MS = 120_000;

/** The signal of a caller that stays. */
export const STAYS: AbortSignal = new AbortController().signal;
