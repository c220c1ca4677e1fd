/**
 * Planning, waiting and learning are advice: a bug in them must cost a saving, never a request or a stream. What is thrown
 * goes to the operator, and the request goes on as if nothing had been advised.
 */
export type OnInternalError = (error: unknown, requestId: string) => void;

export interface Advice {
  <T>(run: () => T, otherwise: T): T;
}

export function adviceFor(requestId: string, onInternalError: OnInternalError): Advice {
  return (run, otherwise) => {
    try {
      return run();
    } catch (error) {
      onInternalError(error, requestId);
      return otherwise;
    }
  };
}
