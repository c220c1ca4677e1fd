import type { Clock } from '../core/clock.ts';
import type { BodyResult } from './exchange.ts';

/** Reading a request's body from a Web Stream, by those who differ in where they put it. */

/** @param stallMs how long the next piece may take. */
export async function withinStall<T>(step: Promise<T>, stallMs: number, clock: Clock): Promise<T | 'stalled'> {
  const stalled = Promise.withResolvers<'stalled'>();
  const cancel = clock.after(stallMs, () => stalled.resolve('stalled'));
  try {
    return await Promise.race([step, stalled.promise]);
  } finally {
    cancel();
  }
}

/** Nothing more of it is wanted. */
export async function giveUp(reader: ReadableStreamDefaultReader<Uint8Array>, result: BodyResult): Promise<BodyResult> {
  await reader.cancel();
  return result;
}
