import { placeOf } from '../../core/scanned-prompt.ts';
import { positionKey, saltOf, type PlacementIndex } from '../learn/placement-index.ts';
import { findSlot } from '../learn/position-table.ts';
import type { Prefix } from '../prefix.ts';
import { tokensTo, type PromptView } from '../prompt-view.ts';

/**
 * The few depths of a prompt that mean something to whoever reads a tree of shared prefixes: the end of the tools and of
 * system, where a caller says by a marker that something stable ends, and where different prompts were seen to part.
 * Turns of a conversation are none of them. What is too short to be cached is left out: sharing it gains nothing.
 */
export interface CutPrompt {
  readonly prefix: Prefix;
  readonly view: PromptView;
  readonly rules: { readonly minimumTokens: number };
}

/** Bounds the work on a prompt of thousands of positions: what is shared stands at its head. */
const MAX_HEAD_SCANNED = 192;
const MAX_MESSAGES_SCANNED = 64;
/** Of places where prompts part, those nearest to the start. */
const MAX_HEAD_FORKS = 8;
const MAX_MESSAGE_FORKS = 4;
/**
 * A conversation whose end was edited parts from its own past once, and so does the first of two that begin alike: only
 * the second parting in messages says that several stand there. In tools and system one is enough.
 */
const PARTINGS_IN_MESSAGES = 2;
/** What many conversations happen to begin with (a greeting) is no prefix that somebody shares on purpose. */
const MIN_SHARED_MESSAGE_BYTES = 1_024;

/** Shallow first; none is longer than the prompt but for its end. */
export function cutDepths(index: PlacementIndex, prompt: CutPrompt): number[] {
  const { prefix, view, rules } = prompt;
  const depths = new Set([...markedDepths(prefix), ...partedDepths(index, prompt)]);
  depths.add(prefix.toolsEnd).add(prefix.systemEnd);
  return [...depths]
    .filter((depth) => depth > 0 && tokensTo(view, depth) >= rules.minimumTokens)
    .sort((one, other) => one - other);
}

/** As an operator reads it; where all tools end, it is `tools`. */
export function cutPlace({ positions, toolsEnd }: Prefix, depth: number): string {
  const position = positions[depth - 1];
  return position === undefined || depth === toolsEnd ? 'tools' : placeOf(position);
}

/** A marker in tools or system, or within a message, is about what is shared; one at a message's end about the turn. */
function markedDepths({ callerMarks, positions, systemEnd }: Prefix): number[] {
  const isShared = (at: number): boolean => at < systemEnd || positions[at]?.index === positions[at + 1]?.index;
  return callerMarks.filter(({ at }) => isShared(at)).map(({ at }) => at + 1);
}

function partedDepths({ positions: table }: PlacementIndex, { prefix, view }: CutPrompt): number[] {
  const { systemEnd, bytes } = prefix;
  const salt = saltOf(view.key);
  const forksAt = (depth: number): number => {
    const slot = findSlot(table, positionKey(view.hashes[depth - 1] ?? 0, salt));
    return slot < 0 ? 0 : (table.forks[slot] ?? 0);
  };
  const found: number[] = [];
  const headEnd = Math.min(systemEnd, MAX_HEAD_SCANNED);
  for (let depth = 1; depth <= headEnd && found.length < MAX_HEAD_FORKS; depth++) {
    if (forksAt(depth) > 0) found.push(depth);
  }
  let sharedBytes = bytes[systemEnd - 1] ?? 0;
  const room = found.length + MAX_MESSAGE_FORKS;
  const messagesEnd = Math.min(view.hashes.length, systemEnd + MAX_MESSAGES_SCANNED);
  for (let depth = systemEnd + 1; depth <= messagesEnd && found.length < room; depth++) {
    const longer = (bytes[depth - 1] ?? 0) - sharedBytes;
    if (longer < MIN_SHARED_MESSAGE_BYTES || forksAt(depth) < PARTINGS_IN_MESSAGES) continue;
    found.push(depth);
    sharedBytes += longer;
  }
  return found;
}
