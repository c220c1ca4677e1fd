import type { IsSame } from '../prompt/scan/known-elements.ts';

/** Node's own comparison: some 20 µs a megabyte, where a loop over the bytes takes a thousand. */
export const isSame: IsSame = (one, oneAt, other, otherAt, length) => {
  const [oneEnd, otherEnd] = [oneAt + length, otherAt + length];
  if (oneEnd > one.length || otherEnd > other.length) return false;
  return bufferOf(one).compare(bufferOf(other), otherAt, otherEnd, oneAt, oneEnd) === 0;
};

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
