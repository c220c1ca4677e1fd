import { asciiBytes, startsWith } from '../../core/bytes.ts';
import { readJson } from '../../core/json-cursor.ts';
import type { Approach } from './approach.ts';
import type { BodyField } from './body-outline.ts';
import { textIn, toObject } from './wire-object.ts';

/**
 * Which fields of a request leave its answer continuable. The list is closed: a field that isn't in it (a message thread,
 * fallbacks, compaction, MCP servers, a container, whatever comes next) may make a second call something else than the
 * rest of the first one.
 */
interface ContinuedRequest {
  readonly body: Uint8Array;
  readonly approach: Approach;
  /** What the caller has of the answer. */
  readonly text: string;
}

type Condition = (value: unknown, request: ContinuedRequest) => boolean;

/** Their values don't matter to a second call, or matter in the same way as to the first. */
const HARMLESS = new Set(
  `model max_tokens messages system tools metadata temperature top_p top_k service_tier speed inference_geo diagnostics
  user_profile_id workspace_id`.split(/\s+/),
);

const CONDITIONS: Readonly<Record<string, Condition>> = {
  stream: (value) => value === true,
  // A call to a tool is demanded: text is not what the answer was to begin with.
  tool_choice: (value) => ['auto', 'none'].includes(textIn(toObject(value), 'type') ?? ''),
  // A prefill cannot be combined with thinking (docs: extended thinking, feature compatibility).
  thinking: (value, { approach }) => approach === 'quote' || textIn(toObject(value), 'type') === 'disabled',
  // A schema is enforced from the first character on: the second half alone would be held against it.
  output_config: (value) => Object.keys(toObject(value) ?? { unknown: value }).every((name) => name === 'effort'),
  stop_sequences: (value, { text }) => Array.isArray(value) && !value.some((stop) => endsInside(text, stop)),
  // Clearing takes away the same again; a compaction would write a summary of our turn.
  context_management: (value) => editsOf(value).every((edit) => edit.startsWith('clear_')),
  // The automatic marker moves to our turn, so it takes a slot even where it stood on a marked block before.
  cache_control: (_value, { body }) => markersIn(body) <= MAX_MARKERS,
};

const MAX_MARKERS = 4;

export function objectionToField({ name, start, end }: BodyField, request: ContinuedRequest): boolean {
  if (HARMLESS.has(name)) return false;
  const condition = Object.hasOwn(CONDITIONS, name) ? CONDITIONS[name] : undefined;
  if (!condition) return true;
  const value = readJson(request.body, start, end);
  return value !== null && !condition(value, request); // null is as if left out
}

/** A stop sequence that has begun in the first answer would not be recognized in the second. */
function endsInside(text: string, stop: unknown): boolean {
  if (typeof stop !== 'string') return true;
  return Array.from(stop.slice(1), (_, index) => stop.slice(0, index + 1)).some((begun) => text.endsWith(begun));
}

function editsOf(value: unknown): string[] {
  const edits = toObject(value)?.['edits'] ?? [];
  return Array.isArray(edits) ? edits.map((edit) => textIn(toObject(edit), 'type') ?? '') : [''];
}

const MARKER = asciiBytes('"cache_control"');

/** Also counts what only looks like one, inside a text: too many is the safe side. */
function markersIn(body: Uint8Array): number {
  let count = 0;
  for (let at = body.indexOf(0x22); at >= 0; at = body.indexOf(0x22, at + 1)) {
    if (startsWith(body, MARKER, at)) count++;
  }
  return count;
}
