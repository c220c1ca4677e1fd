import type { Position, Ttl } from '../core/scanned-prompt.ts';

/**
 * Puts markers into the caller's bytes by offset. Every byte of the caller's stays, in its order; what is added is a
 * member at the end of an object, or the one-block form around a string. Taking the additions out gives the original.
 */
export interface Insertion {
  /** The added bytes stand before the caller's byte at this offset. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();
const MARKERS: Readonly<Record<Ttl, string>> = {
  '5m': '"cache_control":{"type":"ephemeral"}',
  '1h': '"cache_control":{"type":"ephemeral","ttl":"1h"}',
};
const OPEN_TEXT = encoder.encode('[{"type":"text","text":');
const AS_MEMBER: Readonly<Record<Ttl, Uint8Array>> = {
  '5m': encoder.encode(`,${MARKERS['5m']}`),
  '1h': encoder.encode(`,${MARKERS['1h']}`),
};
const CLOSE_TEXT: Readonly<Record<Ttl, Uint8Array>> = {
  '5m': encoder.encode(`,${MARKERS['5m']}}]`),
  '1h': encoder.encode(`,${MARKERS['1h']}}]`),
};

/** What marking a position adds. The position must be markable: an object with members and no marker, or a string. */
export function insertionsFor(position: Position, ttl: Ttl): readonly Insertion[] {
  if (position.form === 'block') return [{ at: position.end - 1, bytes: AS_MEMBER[ttl] }];
  return [
    { at: position.start, bytes: OPEN_TEXT },
    { at: position.end, bytes: CLOSE_TEXT[ttl] },
  ];
}

/** The body with the insertions in it, which may come in any order: sections stand anywhere in a body. */
export function splice(body: Uint8Array, insertions: readonly Insertion[]): Uint8Array {
  const ordered = insertions.toSorted((one, other) => one.at - other.at);
  const added = ordered.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const spliced = new Uint8Array(body.length + added);
  let from = 0;
  let to = 0;
  for (const { at, bytes } of ordered) {
    spliced.set(body.subarray(from, at), to);
    to += at - from;
    spliced.set(bytes, to);
    to += bytes.length;
    from = at;
  }
  spliced.set(body.subarray(from), to);
  return spliced;
}
