import type { ErrorCode } from '../../core/errors.ts';
import {
  byteOrderMarkLength,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  readString,
  skipString,
  skipValue,
  skipWhitespace,
  walkElements,
  walkMembers,
} from '../../core/json-cursor.ts';
import { hashBytes, hashPair } from '../content-hash.ts';
import { createNameTable } from './known-names.ts';
import { readMarker, scanBlock, scanOddity, scanText, type ScannedBlock } from './scan-block.ts';
import { containerTie, stronger, threadOf, userIdOf } from './scan-ties.ts';
import type { Position, ScannedPrompt, ScannedRequest, Section, Tie, Ttl } from '../../core/scanned-prompt.ts';

/**
 * One pass over the bytes of a Messages body: is it a JSON object that can be forwarded, and where could its prefix be
 * cached? Nothing is parsed into objects and nothing is judged that is Anthropic's to judge: what this does not fully
 * understand it reports as uncertain, and the body goes out untouched.
 */
export type ScanResult =
  | ({ readonly kind: 'scanned' } & ScannedRequest)
  | { readonly kind: 'invalid'; readonly code: ErrorCode; readonly detail?: string };

const FIELDS = createNameTable([
  'model',
  'stream',
  'tools',
  'system',
  'messages',
  'cache_control',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'context_management',
  'mcp_servers',
  'speed',
  'thread',
  'metadata',
  'container',
]);
type Field = NonNullable<ReturnType<typeof FIELDS.at>>;

/**
 * From which level on a field changes the prefix (docs: prompt caching, what invalidates the cache). Fields whose effect
 * depends on the model are taken at the earliest level: a cold estimate costs a decision, never a request.
 */
const KEY_LEVEL: Partial<Record<Field, Section>> = {
  mcp_servers: 'tools',
  output_format: 'tools',
  speed: 'system',
  thinking: 'system',
  output_config: 'system',
  context_management: 'messages',
  tool_choice: 'messages',
};

const ROLES = createNameTable(['user', 'assistant', 'system']);
const MESSAGE_MEMBERS = createNameTable(['role', 'content']);

/** Seeds keep the same text apart in different places of the prompt. */
const SEEDS = { tools: 1, system: 2, user: 3, assistant: 4, systemRole: 5, unknown: 6 };

/** No model has a name this long; a longer one is forwarded and stays unknown here. */
const MAX_MODEL_BYTES = 256;

/** @param bytes valid UTF-8, which is checked elsewhere: every runtime has its own fastest way. */
export function scanRequest(bytes: Uint8Array): ScanResult {
  const start = skipWhitespace(bytes, byteOrderMarkLength(bytes));
  if (start === bytes.length) return { kind: 'invalid', code: 'body_not_json', detail: 'It is empty.' };
  const scan = bytes[start] === OPEN_BRACE ? scanObject(bytes, start) : scanOther(bytes, start);
  if (typeof scan === 'number') return notJson(bytes, scan);
  return scan;
}

function scanOther(bytes: Uint8Array, start: number): ScanResult | number {
  const end = skipValue(bytes, start);
  if (end < 0) return ~end;
  const rest = skipWhitespace(bytes, end);
  return rest < bytes.length ? rest : { kind: 'invalid', code: 'body_not_object' };
}

function notJson(bytes: Uint8Array, offset: number): ScanResult {
  const detail =
    offset >= bytes.length ? `It ends early, after ${bytes.length} bytes.` : `Unexpected byte at offset ${offset}.`;
  return { kind: 'invalid', code: 'body_not_json', detail };
}

interface Findings {
  model: string | null;
  streamIsBoolean: boolean;
  isStream: boolean;
  automatic: Ttl | null;
  markers: number;
  hasImage: boolean;
  hasAttribution: boolean;
  tie: Tie;
  userId: ScannedPrompt['userId'];
  thread: ScannedPrompt['thread'];
  uncertain: string | null;
  readonly keys: Record<Section, number>;
  readonly positions: Record<Section, Position[]>;
}

function scanObject(bytes: Uint8Array, start: number): ScanResult | number {
  const found: Findings = {
    model: null,
    streamIsBoolean: true,
    isStream: false,
    automatic: null,
    markers: 0,
    hasImage: false,
    hasAttribution: false,
    tie: 'none',
    userId: null,
    thread: null,
    uncertain: null,
    keys: { tools: 0, system: 0, messages: 0 },
    positions: { tools: [], system: [], messages: [] },
  };
  const seen = new Set<Field>();
  const end = walkMembers(bytes, start, (nameStart, nameEnd, valueStart) => {
    const field = FIELDS.at(bytes, nameStart, nameEnd);
    if (field === null) return skipValue(bytes, valueStart);
    if (seen.has(field)) found.uncertain = `${field} twice`;
    seen.add(field);
    return scanField(bytes, field, valueStart, found);
  });
  if (end < 0) return ~end;
  const rest = skipWhitespace(bytes, end);
  if (rest < bytes.length) return rest;
  return found.streamIsBoolean ? scanned(found) : { kind: 'invalid', code: 'stream_not_boolean' };
}

function scanned(found: Findings): ScanResult {
  const { tools, system, messages } = found.positions;
  const { keys } = found;
  return {
    kind: 'scanned',
    model: found.model,
    prompt: {
      positions: [...tools, ...system, ...messages],
      toolsEnd: tools.length,
      systemEnd: tools.length + system.length,
      keys: { ...keys, messages: found.hasImage ? hashPair(keys.messages, 1) : keys.messages },
      automatic: found.automatic,
      isStream: found.isStream,
      hasAttribution: found.hasAttribution,
      callerMarkers: found.markers,
      tie: found.tie,
      userId: found.userId,
      thread: found.thread,
      uncertain: found.uncertain,
    },
  };
}

/** Returns the offset behind the value. */
function scanField(bytes: Uint8Array, field: Field, start: number, found: Findings): number {
  if (field === 'tools') return scanList(bytes, start, 'tools', found);
  if (field === 'system') return scanSystem(bytes, start, found);
  if (field === 'messages') return scanMessages(bytes, start, found);
  const end = skipValue(bytes, start);
  if (end < 0) return end;
  const level = KEY_LEVEL[field];
  if (level) {
    const link = hashPair(hashBytes(bytes, start, end), field.length); // the order of fields must not matter
    found.keys[level] += link % 0xffff_ffff;
  } else if (field === 'model') {
    const isName = bytes[start] === QUOTE && end - start <= MAX_MODEL_BYTES;
    found.model = isName ? readString(bytes, start, end) : null;
  } else if (field === 'stream') {
    found.isStream = bytes[start] === 0x74; // t, f: valid JSON already
    found.streamIsBoolean = found.isStream || bytes[start] === 0x66;
  } else if (field === 'cache_control') {
    const marker = readMarker(bytes, start);
    if (marker === 'unknown') found.uncertain = 'a top-level marker of an unknown form';
    else if (marker) [found.automatic, found.markers] = [marker, found.markers + 1];
  } else if (field === 'metadata') {
    found.userId = userIdOf(bytes, start, end);
  } else if (field === 'container') {
    found.tie = stronger(found.tie, containerTie(bytes, start, end));
  } else {
    found.uncertain = field; // a thread: the upstream holds the rest of the prompt
    found.thread = threadOf(bytes, start, end);
    if (found.thread.previousMessageId) found.tie = 'thread';
  }
  return end;
}

function scanSystem(bytes: Uint8Array, start: number, found: Findings): number {
  if (bytes[start] === OPEN_BRACKET) return scanList(bytes, start, 'system', found);
  const block = bytes[start] === QUOTE ? scanText(bytes, start, SEEDS.system) : scanOdd(bytes, start, 'system');
  return add(found, block, 'system', 0, -1, start, 'string');
}

function scanList(bytes: Uint8Array, start: number, section: 'tools' | 'system', found: Findings): number {
  if (bytes[start] !== OPEN_BRACKET) return add(found, scanOdd(bytes, start, section), section, 0, -1, start, 'block');
  return walkElements(bytes, start, (element, index) =>
    add(found, scanBlock(bytes, element, section, SEEDS[section]), section, index, -1, element, 'block'),
  );
}

function scanMessages(bytes: Uint8Array, start: number, found: Findings): number {
  if (bytes[start] !== OPEN_BRACKET) {
    return add(found, scanOdd(bytes, start, 'messages'), 'messages', 0, -1, start, 'block');
  }
  return walkElements(bytes, start, (message, index) => scanMessage(bytes, message, index, found));
}

/** The role may stand behind the content, so its seed is found first; a message is short in members, not in bytes. */
function scanMessage(bytes: Uint8Array, start: number, index: number, found: Findings): number {
  if (bytes[start] !== OPEN_BRACE) {
    return add(found, scanOdd(bytes, start, 'message'), 'messages', index, -1, start, 'block');
  }
  const seed = roleSeed(bytes, start);
  if (seed === SEEDS.assistant && found.tie === 'none') found.tie = 'turns';
  const first = found.positions.messages.length;
  let known = 0;
  let extra = 0;
  const end = walkMembers(bytes, start, (nameStart, nameEnd, valueStart) => {
    const name = MESSAGE_MEMBERS.at(bytes, nameStart, nameEnd);
    if (name !== null) known++;
    if (name === 'content') return scanContent(bytes, valueStart, index, seed, found);
    const valueEnd = skipValue(bytes, valueStart);
    if (name === null && valueEnd >= 0) extra = hashPair(extra, hashBytes(bytes, nameStart, valueEnd));
    return valueEnd;
  });
  if (known !== 2 || seed === SEEDS.unknown) found.uncertain ??= 'a message without a role and content';
  if (extra !== 0) setApart(found.positions.messages, first, extra);
  return end;
}

/**
 * A message with a field of its own (Claude Code sends `output_config` on a system message): it is another message than
 * the same one without, and nothing of ours goes into what we do not know.
 */
function setApart(positions: Position[], first: number, extra: number): void {
  for (let at = first; at < positions.length; at++) {
    const position = positions[at] as Position;
    positions[at] = { ...position, markable: false, hash: hashPair(position.hash, extra) };
  }
}

function scanContent(bytes: Uint8Array, start: number, index: number, seed: number, found: Findings): number {
  if (bytes[start] === QUOTE) return add(found, scanText(bytes, start, seed), 'messages', index, -1, start, 'string');
  if (bytes[start] !== OPEN_BRACKET) {
    return add(found, scanOdd(bytes, start, 'content'), 'messages', index, -1, start, 'block');
  }
  return walkElements(bytes, start, (element, block) =>
    add(found, scanBlock(bytes, element, 'messages', seed), 'messages', index, block, element, 'block'),
  );
}

function roleSeed(bytes: Uint8Array, start: number): number {
  let seed = SEEDS.unknown;
  const end = walkMembers(bytes, start, (nameStart, nameEnd, valueStart) => {
    if (MESSAGE_MEMBERS.at(bytes, nameStart, nameEnd) !== 'role') {
      return seed === SEEDS.unknown ? skipValue(bytes, valueStart) : STOP;
    }
    const valueEnd = skipString(bytes, valueStart);
    const role = valueEnd < 0 ? null : ROLES.at(bytes, valueStart, valueEnd);
    if (role) seed = role === 'system' ? SEEDS.systemRole : SEEDS[role];
    return valueEnd;
  });
  return end === STOP || end >= 0 ? seed : SEEDS.unknown;
}

/** Ends a walk early; no offset complements to it. */
const STOP = Number.MIN_SAFE_INTEGER;

function scanOdd(bytes: Uint8Array, start: number, what: string): ScannedBlock | number {
  return scanOddity(bytes, start, `${what} of an unknown form`);
}

/** Adds what was scanned as a position; returns the offset behind it, or the fault. */
function add(
  found: Findings,
  block: ScannedBlock | number,
  section: Section,
  index: number,
  blockIndex: number,
  start: number,
  form: Position['form'],
): number {
  if (typeof block === 'number') return block;
  const { end, textBytes, markable, marker, hash } = block;
  found.positions[section].push({ section, index, block: blockIndex, start, end, textBytes, form, markable, marker, hash }); // prettier-ignore
  found.markers += block.nestedMarkers + (marker === null ? 0 : 1);
  found.hasImage ||= block.hasImage;
  if (block.tie !== 'none' && block.tie !== found.tie) found.tie = stronger(found.tie, block.tie);
  if (section === 'system' && index === 0 && form === 'block') found.hasAttribution = block.isAttribution;
  found.uncertain ??= block.problem;
  return end;
}
