import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/errors.ts';
import { withinStall } from './wait.ts';

/**
 * A body that is passed on while it arrives. Of one that is too long, stands still or is refused by what is in it, the
 * upstream never gets the end: the call must be ended by `over` before the piece in question is passed on.
 */
export interface Upload {
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborted when the rest is not wanted. */
  readonly over: AbortSignal;
  /** Why; null where it is not over. */
  readonly refusal: Refusal | null;
  /** Nobody reads it any more. */
  close(): void;
}

export interface UploadLimits {
  readonly clock: Clock;
  readonly maxBytes: number;
  /** How long the next piece may take, once it is waited for. */
  readonly stallMs: number;
  /** null: the piece may pass. */
  readonly inspect: (piece: Uint8Array) => Promise<Refusal | null>;
}

export function watchUpload(body: AsyncIterable<Uint8Array>, limits: UploadLimits): Upload {
  const over = new AbortController();
  const closed = Promise.withResolvers<'closed'>();
  const refuse = (because: Refusal): Error => {
    upload.refusal = because;
    over.abort();
    return new Error(because.code); // to return would be the end of a whole body
  };
  const upload: Upload & { refusal: Refusal | null } = {
    body: pieces(body, limits, closed.promise, refuse),
    over: over.signal,
    refusal: null,
    close: () => closed.resolve('closed'),
  };
  return upload;
}

/** The source is left where it stands: to end it would be to close the connection that the refusal goes out on. */
async function* pieces(
  body: AsyncIterable<Uint8Array>,
  { clock, maxBytes, stallMs, inspect }: UploadLimits,
  closed: Promise<'closed'>,
  refuse: (because: Refusal) => Error,
): AsyncGenerator<Uint8Array> {
  const source = body[Symbol.asyncIterator]();
  let bytes = 0;
  for (;;) {
    const step = await withinStall(Promise.race([source.next(), closed]), stallMs, clock);
    if (step === 'closed') throw new Error(step);
    if (step === 'stalled') throw refuse({ code: 'request_stalled' });
    if (step.done) return;
    bytes += step.value.length;
    if (bytes > maxBytes) throw refuse(tooLarge(maxBytes));
    const refusal = await inspect(step.value);
    if (refusal) throw refuse(refusal);
    yield step.value;
  }
}

export function tooLarge(maxBytes: number): Refusal {
  return { code: 'body_too_large', detail: `The limit is ${maxBytes} bytes.` };
}
