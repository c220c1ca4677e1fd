import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 count buffers as a part of its heap. Else it marks the whole heap each time another 64 MB of buffers were made,
 * however many of them are gone already: with bodies of 1 MB every thirty requests, at half the CPU of all that is done for
 * them. Counted so, they are taken back with the young generation, and heap and buffers together are marked at the size
 * that the start script gives the old generation. V8 has the flag from Node 24 on; what it does not know it would complain of.
 */
export function countBuffersAsHeap(nodeVersion: string): void {
  const major = Number(nodeVersion.split('.')[0]);
  if (major >= 24) setFlagsFromString('--external-memory-accounted-in-global-limit');
}
