import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../../core/json-cursor.ts';

/**
 * The ids of files in bodies, however deep they stand, and escaped or not (docs: files, code execution). A body may come in
 * pieces, cut anywhere; lines of JSON or of an event stream are read as if they were one. It is not checked to be JSON.
 */
export interface FileIds {
  /** Those that are known from this piece on, in the order in which their objects end. */
  push(piece: Uint8Array): string[];
}

/** Which files a prompt would have Claude read: not what it tells of others, nor what stands in the arguments of a tool. */
export function createNamedFiles(): FileIds {
  return createFileIds({ name: 'source', types: ['container_upload'] }, 'body');
}

/**
 * Which files Claude's code has made, told by answers. Around the JSON of an event stream there may stand a quote that
 * belongs to no string: no string goes on behind the end of its line, so that none of Claude's words is ever taken for JSON.
 */
export function createMadeFiles(): FileIds {
  return createFileIds({ name: null, types: ['code_execution_output', 'bash_code_execution_output'] }, 'line');
}

/** Which objects are meant: the values of this member, and those of one of these types. */
interface Meant {
  readonly name: string | null;
  readonly types: readonly string[];
}

interface Frame {
  readonly isObject: boolean;
  /** It stands in the arguments of a tool. */
  readonly isArguments: boolean;
  /** The member whose value comes; null while a name is due. */
  member: string | null;
  /** By its name, or by a type: any of them where it says several. */
  isMeant: boolean;
  /** All that it says: who reads it may take any of several. */
  readonly files: string[];
}

const ARGUMENTS: ReadonlySet<string> = new Set(['input', 'input_schema', 'input_examples']);

/** The API has some ten levels. What is deeper is counted and not looked at, so that no body can take our memory. */
const MAX_DEPTH = 1_000;
/** An object that names more names one that nobody has. */
const MAX_FILES_OF_ONE = 16;

function createFileIds(meant: Meant, unit: 'body' | 'line'): FileIds {
  const open: Frame[] = [];
  const string = createStringReader(unit);
  let tooDeep = 0;
  let found: string[] = [];

  const enter = (isObject: boolean): void => {
    if (open.length >= MAX_DEPTH) {
      tooDeep++;
      return;
    }
    const parent = open.at(-1);
    const name = parent?.member ?? '';
    const isArguments = parent !== undefined && (parent.isArguments || ARGUMENTS.has(name));
    open.push({ isObject, isArguments, member: null, isMeant: name === meant.name, files: [] });
  };
  const leave = (): void => {
    const frame = tooDeep > 0 ? null : open.pop();
    if (frame?.isMeant && !frame.isArguments) found.push(...frame.files);
    tooDeep = Math.max(0, tooDeep - 1);
  };
  const endString = (text: string): void => {
    const frame = open.at(-1);
    if (!frame?.isObject) return;
    if (frame.member === null) frame.member = text;
    else if (frame.member === 'type') frame.isMeant ||= meant.types.includes(text);
    else if (frame.files.length < MAX_FILES_OF_ONE) frame.files.push(text);
    else frame.files.fill('');
  };
  const startString = (): void => {
    const frame = tooDeep > 0 ? undefined : open.at(-1);
    const { member = '' } = frame?.isObject ? frame : {};
    string.start(member === null || member === 'type' || member === 'file_id');
  };
  const endMember = (): void => {
    const frame = tooDeep > 0 ? null : open.at(-1);
    if (frame) frame.member = null;
  };
  const between = (byte: number): void => {
    if (byte === QUOTE) startString();
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) enter(byte === OPEN_BRACE);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) leave();
    else if (byte === COMMA) endMember();
  };

  return {
    push(piece) {
      found = [];
      let at = 0;
      while (at < piece.length) {
        if (!string.isOpen()) {
          between(piece[at++] as number);
          continue;
        }
        at = string.read(piece, at);
        if (string.text !== null) endString(string.text);
        if (string.isBroken) [open.length, tooDeep] = [0, 0];
      }
      return found;
    },
  };
}

const LINE_FEED = 0x0a;
const SPACE = 0x20;

/** Longer than any id, escaped or not. What is longer is neither a name nor a word that matters. */
const MAX_KEPT_BYTES = 512;

/** One string after the other, from the byte behind the opening quote on. */
function createStringReader(unit: 'body' | 'line') {
  let state: 'none' | 'kept' | 'skipped' = 'none';
  let isEscaped = false;
  let bytes: number[] = [];
  const reader = {
    isOpen: () => state !== 'none',
    /** Of the string that `read` has just ended; null where it has not, or nobody wants it. */
    text: null as string | null,
    /** It was none: its line has ended. */
    isBroken: false,
    start(isWanted: boolean): void {
      state = isWanted ? 'kept' : 'skipped';
      bytes = [QUOTE];
      reader.text = null;
      reader.isBroken = false;
    },
    /** Returns the offset behind what it has read: the closing quote, or the end of the piece. */
    read(piece: Uint8Array, from: number): number {
      let at = from;
      while (at < piece.length) {
        if (!isEscaped) at = textEnd(piece, at, state === 'kept' ? bytes : null);
        if (at === piece.length) break;
        const byte = piece[at++] as number;
        if (state === 'kept' && bytes.length <= MAX_KEPT_BYTES) bytes.push(byte);
        reader.isBroken = unit === 'line' && byte === LINE_FEED;
        if (reader.isBroken || (!isEscaped && byte === QUOTE)) {
          reader.text = state === 'kept' && !reader.isBroken ? textOf(bytes) : null;
          state = 'none';
          isEscaped = false;
          break;
        }
        isEscaped = !isEscaped && byte === BACKSLASH;
      }
      return at;
    },
  };
  return reader;
}

/** The next quote, backslash or control character, or the end of the piece: what most of any body stands before. */
function textEnd(piece: Uint8Array, from: number, kept: number[] | null): number {
  let at = from;
  for (; at < piece.length; at++) {
    const byte = piece[at] as number;
    if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) break;
  }
  if (kept && kept.length <= MAX_KEPT_BYTES) for (const byte of piece.subarray(from, at)) kept.push(byte);
  return at;
}

function textOf(bytes: readonly number[]): string {
  if (bytes.length > MAX_KEPT_BYTES) return '';
  const isPlain = bytes.every((byte) => byte !== BACKSLASH && byte < 0x80);
  if (isPlain) return String.fromCharCode(...bytes.slice(1, -1)); // nearly every name is
  try {
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes))) as string;
  } catch {
    return ''; // no JSON: whoever parses it will say so
  }
}
