import type { BodyResult } from './exchange.ts';

/** Nothing more of it is wanted. */
export async function giveUp(reader: ReadableStreamDefaultReader<Uint8Array>, result: BodyResult): Promise<BodyResult> {
  await reader.cancel();
  return result;
}
