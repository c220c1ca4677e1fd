import { concatenate } from '../../core/bytes.ts';
import { OPEN_BRACE, readString, visitMembers } from '../../core/json-cursor.ts';

/**
 * The data of an event, as far as this folder needs them: read as plain objects in which anything may be missing, and
 * changed in place, so that an upstream's bytes stay its own but for the one value that has to differ.
 */
export type WireObject = Readonly<Record<string, unknown>>;

const encoder = new TextEncoder();

export function parseObject(text: string): WireObject | null {
  try {
    return toObject(JSON.parse(text));
  } catch {
    return null;
  }
}

export function toObject(value: unknown): WireObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as WireObject) : null;
}

/** The object in that member, or one without members. */
export function objectIn(object: WireObject | null, name: string): WireObject {
  return toObject(object?.[name]) ?? {};
}

export function textIn(object: WireObject | null, name: string): string | null {
  const value = object?.[name];
  return typeof value === 'string' ? value : null;
}

/** The event's bytes with the value at `path` of its data replaced; null where its data are not one line of JSON. */
export function withValue(event: Uint8Array, path: readonly string[], value: unknown): Uint8Array | null {
  let place: { start: number; end: number } | null = { start: event.indexOf(OPEN_BRACE), end: event.length };
  for (const name of path) place = place && memberOf(event, place.start, name);
  if (!place) return null;
  const written = encoder.encode(JSON.stringify(value));
  return concatenate([event.subarray(0, place.start), written, event.subarray(place.end)]);
}

/** The last member of that name, which is the one that JSON.parse takes. */
function memberOf(bytes: Uint8Array, start: number, name: string): { start: number; end: number } | null {
  let found: { start: number; end: number } | null = null;
  const end = visitMembers(bytes, start, ({ nameStart, nameEnd, valueStart, valueEnd }) => {
    if (readString(bytes, nameStart, nameEnd) === name) found = { start: valueStart, end: valueEnd };
  });
  return end < 0 ? null : found;
}
