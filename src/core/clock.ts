/**
 * Time as a value that is handed in, so that every wait in the gateway can be stepped by a test.
 * Durations come from `nowMs`; `wallMs` is only for what people and headers read as a date.
 */
export interface Clock {
  /** Monotonic milliseconds with fractions; only differences mean anything. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch. */
  wallMs(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels it and may be called at any time. */
  after(delayMs: number, run: () => void): () => void;
}
