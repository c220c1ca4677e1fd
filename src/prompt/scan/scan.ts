import type { ErrorCode } from '../../core/errors.ts';
import {
  byteOrderMarkLength,
  OPEN_BRACE,
  QUOTE,
  readString,
  skipValue,
  skipWhitespace,
  walkMembers,
  type OnName,
} from '../../core/json-cursor.ts';
import type { Position, ScannedPrompt, ScannedRequest, Section, Tie, Ttl } from '../../core/scanned-prompt.ts';
import { hashBytes, hashPair } from '../content-hash.ts';
import { watchForFiles } from './file-name.ts';
import type { ScannedLists } from './known-elements.ts';
import { createNameTable } from './known-names.ts';
import { readMarker } from './scan-block.ts';
import { MAX_POSITIONS, TOO_MANY, type ScannedElement } from './scan-element.ts';
import { scanLists, type ListWalk } from './scan-lists.ts';
import { containerTie, stronger, threadOf, userIdOf } from './scan-ties.ts';

/**
 * One pass over the bytes of a Messages body: is it a JSON object that can be forwarded, and where could its prefix be
 * cached? Nothing is parsed into objects and nothing is judged that is Anthropic's to judge: what this does not fully
 * understand it reports as uncertain, and the body goes out untouched.
 */
export type ScanResult =
  | ({
      readonly kind: 'scanned';
      /** For scans to come; null where a list stands twice, so that nobody can say which. */
      readonly lists: ScannedLists | null;
      /** Bytes that were not read, because they stand in the known body. */
      readonly knownBytes: number;
    } & ScannedRequest)
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

/** No model has a name this long; a longer one is forwarded and stays unknown here. */
const MAX_MODEL_BYTES = 256;

/**
 * @param bytes valid UTF-8, which is checked elsewhere: every runtime has its own fastest way.
 * @param known a body that was scanned before; what is found does not depend on it, only how much has to be read.
 */
export function scanRequest(bytes: Uint8Array, known: ListWalk['known'] = null): ScanResult {
  const start = skipWhitespace(bytes, byteOrderMarkLength(bytes));
  if (start === bytes.length) return { kind: 'invalid', code: 'body_not_json', detail: 'It is empty.' };
  const scan = bytes[start] === OPEN_BRACE ? scanObject(bytes, start, known) : scanOther(bytes, start);
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
  namesFile: boolean;
  knownBytes: number;
  /** Positions, and elements that have none. */
  places: number;
  hasDoubledList: boolean;
  readonly keys: Record<Section, number>;
  readonly lists: Record<Section, ScannedElement[]>;
}

function scanObject(bytes: Uint8Array, start: number, known: ListWalk['known']): ScanResult | number {
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
    namesFile: false,
    knownBytes: 0,
    places: 0,
    hasDoubledList: false,
    keys: { tools: 0, system: 0, messages: 0 },
    lists: { tools: [], system: [], messages: [] },
  };
  const walk: ListWalk = { bytes, known, onElement: (...of) => addElement(found, ...of) };
  const onName = watchForFiles(bytes, found);
  const seen = new Set<Field>();
  const takeMember = (nameStart: number, nameEnd: number, valueStart: number): number => {
    const field = FIELDS.at(bytes, nameStart, nameEnd);
    if (field === null) return skipValue(bytes, valueStart, onName);
    const isList = field === 'tools' || field === 'system' || field === 'messages';
    if (seen.has(field)) {
      found.uncertain = `${field} twice`;
      found.hasDoubledList ||= isList;
    }
    seen.add(field);
    return isList ? scanLists(walk, field, valueStart) : scanField(bytes, field, valueStart, found, onName);
  };
  const end = walkMembers(bytes, start, takeMember, onName);
  if (end < 0) return ~end;
  const rest = skipWhitespace(bytes, end);
  if (rest < bytes.length) return rest;
  return found.streamIsBoolean ? scanned(found) : { kind: 'invalid', code: 'stream_not_boolean' };
}

function addElement(found: Findings, section: Section, element: ScannedElement, isKnown: boolean): void {
  found.places += Math.max(1, element.positions.length);
  if (found.places <= MAX_POSITIONS) found.lists[section].push(element);
  else found.uncertain ??= TOO_MANY;
  if (section === 'system' && isFirstBlock(element)) found.hasAttribution = element.isAttribution;
  found.markers += element.markers;
  found.hasImage ||= element.hasImage;
  found.tie = stronger(found.tie, element.tie);
  found.namesFile ||= element.namesFile;
  found.uncertain ??= element.problem;
  if (isKnown) found.knownBytes += element.end - element.start;
}

function isFirstBlock({ positions: [first] }: ScannedElement): boolean {
  return first?.form === 'block' && first.index === 0;
}

function scanned(found: Findings): ScanResult {
  const { keys, lists } = found;
  const positions: Position[] = [];
  const endOf = (section: Section): number => {
    for (const element of lists[section]) for (const position of element.positions) positions.push(position);
    return positions.length;
  };
  const [toolsEnd, systemEnd] = [endOf('tools'), endOf('system')];
  endOf('messages');
  return {
    kind: 'scanned',
    lists: found.hasDoubledList ? null : lists,
    knownBytes: found.knownBytes,
    model: found.model,
    prompt: {
      positions,
      toolsEnd,
      systemEnd,
      keys: { ...keys, messages: found.hasImage ? hashPair(keys.messages, 1) : keys.messages },
      automatic: found.automatic,
      isStream: found.isStream,
      hasAttribution: found.hasAttribution,
      callerMarkers: found.markers,
      tie: found.tie,
      userId: found.userId,
      thread: found.thread,
      namesFile: found.namesFile,
      uncertain: found.uncertain,
    },
  };
}

/** Returns the offset behind the value. */
function scanField(bytes: Uint8Array, field: Field, start: number, found: Findings, onName: OnName): number {
  const end = skipValue(bytes, start, onName);
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
