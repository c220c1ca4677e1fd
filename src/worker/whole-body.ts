import type { Clock } from '../core/clock.ts';
import { giveUp } from '../http/body-reader.ts';
import { withinStall } from '../pipeline/wait.ts';
import type { BodyLimits, BodyResult } from '../http/exchange.ts';

/**
 * A request's body in one piece, read into one buffer that grows with what has come: an isolate has 128 MB for all its
 * requests, so that a body of 32 MiB must not be there two or three times. What a caller announces is not believed.
 */
const FIRST_BYTES = 64 * 1024;

export async function readWholeBody(request: Request, limits: BodyLimits, clock: Clock): Promise<BodyResult> {
  const announcedBytes = Number(request.headers.get('content-length') ?? 0);
  if (announcedBytes > limits.maxBytes) return { kind: 'too_large' };
  const reader = request.body?.getReader();
  if (!reader) return { kind: 'read', bytes: new Uint8Array() };
  let buffer = new Uint8Array(announcedBytes > 0 ? Math.min(announcedBytes, FIRST_BYTES) : FIRST_BYTES);
  let size = 0;
  try {
    for (;;) {
      const step = await withinStall(reader.read(), limits.stallMs, clock);
      if (step === 'stalled') return await giveUp(reader, { kind: 'stalled' });
      if (step.done) return { kind: 'read', bytes: buffer.subarray(0, size) };
      const needed = size + step.value.length;
      if (needed > limits.maxBytes) return await giveUp(reader, { kind: 'too_large' });
      if (needed > buffer.length) buffer = grown(buffer, needed, announcedBytes);
      buffer.set(step.value, size);
      size = needed;
    }
  } catch {
    return { kind: 'gone' };
  }
}

/** Doubled, so that bytes are moved a few times at most; never past what was announced while that holds. */
function grown(buffer: Uint8Array<ArrayBuffer>, needed: number, announcedBytes: number): Uint8Array<ArrayBuffer> {
  const doubled = Math.max(needed, buffer.length * 2);
  const room = announcedBytes >= needed ? Math.min(doubled, announcedBytes) : doubled;
  return new Uint8Array(buffer.buffer.transfer(room));
}
