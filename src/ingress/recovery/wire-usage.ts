import { toObject, type WireObject } from './wire-object.ts';

/**
 * The `usage` of an answer that two calls have made, in the wire's own names: what both count is added, what one of them
 * counts is kept, and nothing is counted that neither has. Counters nobody here has heard of are added like the others.
 */

/** What clients take from `message_delta` over `message_start`; all else there is only where the upstream puts it. */
const TAKEN_FROM_DELTA = [
  'input_tokens',
  'cache_creation_input_tokens',
  'cache_read_input_tokens',
  'output_tokens',
] as const;

/** Counters are cumulative within a call: a later one that is not null replaces an earlier one. */
export function laterUsage(known: WireObject, reported: WireObject): WireObject {
  const said = Object.entries(reported).filter(([name, value]) => value !== null || !(name in known));
  return { ...known, ...Object.fromEntries(said) };
}

export function addUsage(one: WireObject, other: WireObject): WireObject {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(names.map((name) => [name, addValue(one[name], other[name])]));
}

function addValue(one: unknown, other: unknown): unknown {
  if (typeof one === 'number' && typeof other === 'number') return one + other;
  const [left, right] = [toObject(one), toObject(other)];
  return left && right ? addUsage(left, right) : (other ?? one ?? null);
}

/**
 * The usage of a `message_delta` as the caller is to see it. Its `message_start` told the first call's input only, so the
 * sums stand here also where the second call has told its own input no later than in its `message_start`.
 */
export function closingUsage(total: WireObject, reported: WireObject): WireObject {
  const names = [...Object.keys(reported), ...TAKEN_FROM_DELTA.filter((name) => typeof total[name] === 'number')];
  return Object.fromEntries(names.map((name) => [name, total[name]]));
}
