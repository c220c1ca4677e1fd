import { createHmac } from 'node:crypto';

/**
 * What Redis gets to see of a prefix: its keyed digest, 128 bits in base64url. Without the key, which is not in Redis,
 * nobody who reads Redis can find out whether a prompt he knows is among them.
 */
export function createFlightNames(hmacKey: string | Uint8Array): (prefix: string) => string {
  return (prefix) => createHmac('sha256', hmacKey).update(prefix).digest().subarray(0, 16).toString('base64url');
}
