import { createHmac } from 'node:crypto';

/**
 * What Redis gets to see of a prefix: its keyed digest, 128 bits in base64url. Without the key, which is not in Redis,
 * nobody who reads Redis can find out whether a prompt he knows is among them. A name says where in a cluster it is:
 * before the dot stands its family's own digest, 24 bits, so that all that one request asks about is in one hash slot
 * and families spread over the nodes.
 */
export type FlightNames = (family: number) => (prefix: string) => string;

export function createFlightNames(hmacKey: string | Uint8Array): FlightNames {
  const digest = (text: string, bytes: number): string =>
    createHmac('sha256', hmacKey).update(text).digest().subarray(0, bytes).toString('base64url');
  return (family) => {
    let place: string | null = null;
    return (prefix) => `${(place ??= digest(`family\n${family}`, PLACE_BYTES))}.${digest(prefix, PREFIX_BYTES)}`;
  };
}

const PLACE_BYTES = 3;
const PREFIX_BYTES = 16;

/** The key of `part` for this name. */
export function keyOfName(keyPrefix: string, part: 'w' | 'r', name: string): string {
  const at = name.indexOf('.');
  return `${keyPrefix}{f:${name.slice(0, at)}}:${part}:${name.slice(at + 1)}`;
}
