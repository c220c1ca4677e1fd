import { asciiBytes, startsWith } from '../../core/bytes.ts';
import {
  CLOSE_BRACE,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipString,
  skipValue,
  skipWhitespace,
  walkElements,
  walkMembers,
  type OnName,
} from '../../core/json-cursor.ts';
import type { Section, Tie, Ttl } from '../../core/scanned-prompt.ts';
import { hashBytes } from '../content-hash.ts';
import { hasInk } from './ink.ts';
import { createNameTable } from './known-names.ts';
import { scanSource, type SourceNotes } from './scan-source.ts';

/**
 * One tool, system block or content block: what it is, whether it may carry a marker, the caller's own marker, and its
 * hash without it. `problem` is set where something was found that makes adding a marker less than certainly legal.
 */
export interface ScannedBlock {
  end: number;
  markable: boolean;
  marker: Ttl | null;
  /** Markers inside a tool result's own content: they count towards the limit of four. */
  nestedMarkers: number;
  hasImage: boolean;
  /** Bytes that weigh like text. */
  textBytes: number;
  /** Claude Code's account of itself, when it is the first system block (Anthropic: gateway protocol). */
  isAttribution: boolean;
  /** What of it only the place that made it can read or find. */
  tie: Tie;
  hash: number;
  problem: string | null;
}

const MEMBERS = createNameTable(['type', 'text', 'cache_control', 'content', 'defer_loading', 'source']);
const NESTED_MEMBERS = createNameTable(['type', 'cache_control', 'source']);
const MARKER_MEMBERS = createNameTable(['type', 'ttl']);
const TTLS = createNameTable(['5m', '1h']);
const EPHEMERAL = createNameTable(['ephemeral']);

/**
 * Content blocks with a `cache_control` field of their own (SDK types, generally available ones). Thinking has none, and
 * of a type that is not here nobody can be certain.
 */
const CONTENT_TYPES = createNameTable([
  'text',
  'image',
  'document',
  'search_result',
  'tool_use',
  'tool_result',
  'server_tool_use',
  'web_search_tool_result',
  'web_fetch_tool_result',
  'code_execution_tool_result',
  'bash_code_execution_tool_result',
  'text_editor_code_execution_tool_result',
  'tool_search_tool_result',
  'container_upload',
]);

const THINKING_TYPES = createNameTable(['thinking', 'redacted_thinking']);

/** The block that begins at `start`, or `~offset` where the text stops being JSON. `seed` keeps places apart in its hash. */
export function scanBlock(
  bytes: Uint8Array,
  start: number,
  section: Section,
  seed: number,
  onName: OnName,
): ScannedBlock | number {
  if (bytes[start] !== OPEN_BRACE) return scanOddity(bytes, start, 'a block that is no object', onName);
  let type: string | null = null;
  let textStart = -1;
  let textEnd = -1;
  let markerName = -1;
  let markerEnd = -1;
  let marker: Ttl | null = null;
  let nestedMarkers = 0;
  let hasImage = false;
  let sourceBytes = 0;
  let savedBytes = 0;
  let isDeferred = false;
  let isThinking = false;
  let nestedFile = false;
  let isPlainText = true;
  let problem: string | null = null;
  let seen = 0;

  const once = (bit: number): void => {
    if (seen & bit) problem = 'a duplicate key';
    seen |= bit;
  };
  const source: SourceNotes = { namesFile: false, encodedBytes: 0 };
  const takeMember = (nameStart: number, nameEnd: number, valueStart: number): number => {
    const name = MEMBERS.at(bytes, nameStart, nameEnd);
    if (name === 'content') {
      once(1);
      isPlainText = false;
      return scanNested(bytes, valueStart, onName, (nested) => {
        nestedMarkers += nested.markers;
        hasImage ||= nested.hasImage;
        savedBytes += nested.savedBytes;
        nestedFile ||= nested.hasFile;
      });
    }
    const valueEnd =
      name === 'source' ? scanSource(bytes, valueStart, source, onName) : skipValue(bytes, valueStart, onName);
    if (valueEnd < 0) return valueEnd;
    switch (name) {
      case 'type':
        once(2);
        type = bytes[valueStart] === QUOTE ? CONTENT_TYPES.at(bytes, valueStart, valueEnd) : null;
        isThinking = bytes[valueStart] === QUOTE && THINKING_TYPES.at(bytes, valueStart, valueEnd) !== null;
        break;
      case 'text':
        once(4);
        if (bytes[valueStart] === QUOTE) [textStart, textEnd] = [valueStart, valueEnd];
        break;
      case 'cache_control': {
        once(8);
        const read = readMarker(bytes, valueStart);
        if (read === 'unknown') problem = 'a marker of an unknown form';
        else marker = read;
        [markerName, markerEnd] = [nameStart, valueEnd];
        break;
      }
      case 'defer_loading':
        isDeferred = bytes[valueStart] !== 0x66; // anything but false
        isPlainText = false;
        break;
      case 'source':
        sourceBytes = valueEnd - valueStart;
        isPlainText = false;
        break;
      default:
        isPlainText = false;
    }
    return valueEnd;
  };
  const end = walkMembers(bytes, start, takeMember, onName);
  if (end < 0) return end;

  if (type === 'image') hasImage = true;
  savedBytes += lightBytes(type, sourceBytes, source);
  const isText = type === 'text' && textStart >= 0;
  const hash =
    isText && isPlainText
      ? hashText(bytes, textStart, textEnd, seed)
      : hashWithout(bytes, start, end, markerName, markerEnd, seed);
  const fits = section === 'tools' ? !isDeferred : section === 'system' ? isText : type !== null;
  const isEmptyText = type === 'text' && !hasInk(bytes, textStart, textEnd);
  const markable = fits && !isEmptyText && markerName < 0 && end - start > 2;
  if (marker !== null && (isEmptyText || isDeferred || isThinking)) problem ??= 'a marker where none may stand';
  if (nestedMarkers > 0) problem ??= 'a marker inside a tool result'; // the API's to place: it may clash with ours
  const isAttribution = isText && startsWith(bytes, ATTRIBUTION, textStart + 1);
  const textBytes = end - start - savedBytes;
  const tie = source.namesFile || nestedFile || type === 'container_upload' ? 'file' : isThinking ? 'thinking' : 'none';
  return { end, markable, marker, nestedMarkers, hasImage, textBytes, isAttribution, tie, hash, problem };
}

/** About 1,600 tokens, what a picture of the usual size costs whatever its file weighs (docs: vision). */
const IMAGE_TEXT_BYTES = 4_800;
/** A page of a PDF weighs some 50 kB in base64 and costs some 2,000 tokens. */
const PDF_TEXT_SHARE = 1 / 8;

/** How many bytes of a block's source do not weigh like text; below 0 where it weighs more. Text in a source is text. */
function lightBytes(type: string | null, sourceBytes: number, { encodedBytes }: SourceNotes): number {
  if (type === 'image') return sourceBytes - IMAGE_TEXT_BYTES;
  return type === 'document' ? encodedBytes * (1 - PDF_TEXT_SHARE) : 0;
}

const NOTHING_SPECIAL = { marker: null, nestedMarkers: 0, hasImage: false, isAttribution: false, tie: 'none', problem: null } as const; // prettier-ignore

/** A string in the place of blocks: the same prompt as one text block (docs; assumed equal for the cache as well). */
export function scanText(bytes: Uint8Array, start: number, seed: number): ScannedBlock | number {
  const end = skipString(bytes, start);
  if (end < 0) return end;
  const markable = hasInk(bytes, start, end);
  const hash = hashText(bytes, start, end, seed);
  return { ...NOTHING_SPECIAL, end, markable, textBytes: end - start, hash };
}

/** Whatever else may stand there is the upstream's to judge; its presence means that we do not understand the body. */
export function scanOddity(bytes: Uint8Array, start: number, problem: string, onName: OnName): ScannedBlock | number {
  const end = skipValue(bytes, start, onName);
  if (end < 0) return end;
  return { ...NOTHING_SPECIAL, end, markable: false, textBytes: end - start, hash: 0, problem };
}

/** A marker's TTL, null for `null`, `unknown` for what this version does not know. */
export function readMarker(bytes: Uint8Array, start: number): Ttl | null | 'unknown' {
  if (bytes[start] === 0x6e) return null;
  let ttl: Ttl | null = '5m';
  let isEphemeral = false;
  const end = walkMembers(bytes, start, (nameStart, nameEnd, valueStart) => {
    const valueEnd = skipValue(bytes, valueStart);
    const name = MARKER_MEMBERS.at(bytes, nameStart, nameEnd);
    if (name === 'type') isEphemeral = EPHEMERAL.at(bytes, valueStart, valueEnd) !== null;
    if (name === 'ttl') ttl = bytes[valueStart] === QUOTE ? TTLS.at(bytes, valueStart, valueEnd) : null;
    return valueEnd;
  });
  return end < 0 || !isEphemeral || ttl === null ? 'unknown' : ttl;
}

/** The blocks inside a tool result: images there count as images of the prompt, markers there as markers. */
function scanNested(
  bytes: Uint8Array,
  start: number,
  onName: OnName,
  found: (nested: { markers: number; hasImage: boolean; savedBytes: number; hasFile: boolean }) => void,
): number {
  if (bytes[start] !== OPEN_BRACKET) return skipValue(bytes, start, onName);
  return walkElements(bytes, start, (element) => {
    if (bytes[element] !== OPEN_BRACE) return skipValue(bytes, element, onName);
    let type: string | null = null;
    let markers = 0;
    let sourceBytes = 0;
    const source: SourceNotes = { namesFile: false, encodedBytes: 0 };
    const takeMember = (nameStart: number, nameEnd: number, valueStart: number): number => {
      const name = NESTED_MEMBERS.at(bytes, nameStart, nameEnd);
      const valueEnd =
        name === 'source' ? scanSource(bytes, valueStart, source, onName) : skipValue(bytes, valueStart, onName);
      if (valueEnd < 0) return valueEnd;
      if (name === 'cache_control' && bytes[valueStart] !== 0x6e) markers++;
      if (name === 'type' && bytes[valueStart] === QUOTE) type = CONTENT_TYPES.at(bytes, valueStart, valueEnd);
      if (name === 'source') sourceBytes = valueEnd - valueStart;
      return valueEnd;
    };
    const end = walkMembers(bytes, element, takeMember, onName);
    const savedBytes = lightBytes(type, sourceBytes, source);
    found({ markers, hasImage: type === 'image', savedBytes, hasFile: source.namesFile });
    return end;
  });
}

/** Text and its one-block form hash alike: only the string counts. */
const TEXT_SEED = 0x7e07;

function hashText(bytes: Uint8Array, start: number, end: number, seed: number): number {
  return hashBytes(bytes, start, end, seed ^ TEXT_SEED);
}

/** Hash of the object as it reads without its marker, so that a block is the same whether it is marked or not. */
function hashWithout(
  bytes: Uint8Array,
  start: number,
  end: number,
  markerName: number,
  markerEnd: number,
  seed: number,
): number {
  if (markerName < 0) return hashBytes(bytes, start, end, seed);
  const [cutStart, cutEnd] = cutMember(bytes, start, markerName, markerEnd);
  const rest = new Uint8Array(end - start - (cutEnd - cutStart));
  rest.set(bytes.subarray(start, cutStart));
  rest.set(bytes.subarray(cutEnd, end), cutStart - start);
  return hashBytes(rest, 0, rest.length, seed);
}

/** The member with the one comma that goes with it: before it, or behind it where it is the first. */
function cutMember(bytes: Uint8Array, start: number, nameStart: number, valueEnd: number): [number, number] {
  let before = nameStart - 1;
  while (before > start && isBlank(bytes[before] as number)) before--;
  if (bytes[before] === COMMA) return [before, valueEnd];
  const behind = skipWhitespace(bytes, valueEnd);
  if (bytes[behind] === CLOSE_BRACE) return [nameStart, valueEnd];
  return [nameStart, skipWhitespace(bytes, behind + 1)];
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

const ATTRIBUTION = asciiBytes('x-anthropic-billing-header:');
