import {
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipString,
  skipValue,
  walkElements,
  walkMembers,
  type OnName,
} from '../../core/json-cursor.ts';
import type { Position, Section, Tie } from '../../core/scanned-prompt.ts';
import { hashBytes, hashPair } from '../content-hash.ts';
import { watchForFiles } from './file-name.ts';
import { createNameTable } from './known-names.ts';
import { scanBlock, scanOddity, scanText, type ScannedBlock } from './scan-block.ts';
import { stronger } from './scan-ties.ts';

/**
 * One element of a prompt's lists, a tool, a system block or a message, and all that it adds to the prompt. It follows from
 * its bytes, its list and its index alone, so that whoever finds the same bytes there again need not read them.
 */
export interface ScannedElement {
  readonly start: number;
  readonly end: number;
  readonly positions: readonly Position[];
  /** The caller's own, nested ones included. */
  readonly markers: number;
  readonly hasImage: boolean;
  /** Claude Code's account of itself, if it stands first in the system prompt. */
  readonly isAttribution: boolean;
  readonly tie: Tie;
  /** A member named `file_id` stands in it, however deep. */
  readonly namesFile: boolean;
  /** Why nothing may be added to a body with this; null when all of it was understood. */
  readonly problem: string | null;
  /** An object in a list: the same bytes at the same index are the same again. What stands where a list should is none. */
  readonly isListedObject: boolean;
}

/** The API takes 100,000 messages. What is beyond is checked and not remembered, so that no body can take our memory. */
export const MAX_POSITIONS = 100_000;
export const TOO_MANY = 'more positions than a prompt has';

const ROLES = createNameTable(['user', 'assistant', 'system']);
const MEMBERS = createNameTable(['role', 'content']);

/** Seeds keep the same text apart in different places of the prompt. */
const SEEDS = { tools: 1, system: 2, user: 3, assistant: 4, systemRole: 5, unknown: 6 };

/** A system prompt that is a string; `start` is that of its opening quote. */
export function scanSystemText(bytes: Uint8Array, start: number): ScannedElement | number {
  const element = elementAt(start);
  return ended(element, add(element, scanText(bytes, start, SEEDS.system), 'system', 0, -1, start, 'string'));
}

/** A tool or a block of the system prompt, or `~offset` where the text stops being JSON. */
export function scanListed(
  bytes: Uint8Array,
  start: number,
  section: 'tools' | 'system',
  index: number,
): ScannedElement | number {
  const element = elementAt(start, bytes[start] === OPEN_BRACE);
  const block = scanBlock(bytes, start, section, SEEDS[section], watchForFiles(bytes, element));
  return ended(element, add(element, block, section, index, -1, start, 'block'));
}

/** What stands where it is not expected is the upstream's to judge. */
export function scanOddElement(
  bytes: Uint8Array,
  start: number,
  section: Section,
  index: number,
  what: string,
): ScannedElement | number {
  const element = elementAt(start);
  return ended(element, addOddity(element, bytes, start, section, index, what, watchForFiles(bytes, element)));
}

/** The role may stand behind the content, so its seed is found first; a message is short in members, not in bytes. */
export function scanMessage(bytes: Uint8Array, start: number, index: number): ScannedElement | number {
  if (bytes[start] !== OPEN_BRACE) return scanOddElement(bytes, start, 'messages', index, 'message');
  const seed = roleSeed(bytes, start);
  const element = elementAt(start, true);
  if (seed === SEEDS.assistant) element.tie = 'turns';
  const onName = watchForFiles(bytes, element);
  let known = 0;
  let extra = 0;
  const takeMember = (nameStart: number, nameEnd: number, valueStart: number): number => {
    const name = MEMBERS.at(bytes, nameStart, nameEnd);
    if (name !== null) known++;
    if (name === 'content') return scanContent(bytes, valueStart, index, seed, element, onName);
    const valueEnd = skipValue(bytes, valueStart, onName);
    if (name === null && valueEnd >= 0) extra = hashPair(extra, hashBytes(bytes, nameStart, valueEnd));
    return valueEnd;
  };
  const end = walkMembers(bytes, start, takeMember, onName);
  if (known !== 2 || seed === SEEDS.unknown) element.problem ??= 'a message without a role and content';
  if (extra !== 0) setApart(element.positions, extra);
  return ended(element, end);
}

/**
 * A message with a field of its own (Claude Code sends `output_config` on a system message): it is another message than
 * the same one without, and nothing of ours goes into what we do not know.
 */
function setApart(positions: Position[], extra: number): void {
  for (const [at, position] of positions.entries()) {
    positions[at] = { ...position, markable: false, hash: hashPair(position.hash, extra) };
  }
}

function scanContent(
  bytes: Uint8Array,
  start: number,
  index: number,
  seed: number,
  element: Draft,
  onName: OnName,
): number {
  if (bytes[start] === QUOTE) return add(element, scanText(bytes, start, seed), 'messages', index, -1, start, 'string');
  if (bytes[start] !== OPEN_BRACKET) return addOddity(element, bytes, start, 'messages', index, 'content', onName);
  return walkElements(bytes, start, (at, block) =>
    add(element, scanBlock(bytes, at, 'messages', seed, onName), 'messages', index, block, at, 'block'),
  );
}

function roleSeed(bytes: Uint8Array, start: number): number {
  let seed = SEEDS.unknown;
  const end = walkMembers(bytes, start, (nameStart, nameEnd, valueStart) => {
    if (MEMBERS.at(bytes, nameStart, nameEnd) !== 'role') {
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

/** An element of which not all is read. */
type Draft = { -readonly [Part in keyof ScannedElement]: ScannedElement[Part] } & { readonly positions: Position[] };

function elementAt(start: number, isListedObject = false): Draft {
  return {
    start,
    end: start,
    positions: [],
    markers: 0,
    hasImage: false,
    isAttribution: false,
    tie: 'none',
    namesFile: false,
    problem: null,
    isListedObject,
  };
}

function ended(element: Draft, end: number): ScannedElement | number {
  if (end < 0) return end;
  element.end = end;
  return element;
}

function addOddity(
  element: Draft,
  bytes: Uint8Array,
  start: number,
  section: Section,
  index: number,
  what: string,
  onName: OnName,
): number {
  const oddity = scanOddity(bytes, start, `${what} of an unknown form`, onName);
  return add(element, oddity, section, index, -1, start, 'block');
}

/** Adds what was scanned as a position; returns the offset behind it, or the fault. */
function add(
  element: Draft,
  block: ScannedBlock | number,
  section: Section,
  index: number,
  blockIndex: number,
  start: number,
  form: Position['form'],
): number {
  if (typeof block === 'number') return block;
  const { end, textBytes, markable, marker, hash } = block;
  if (element.positions.length < MAX_POSITIONS) {
    element.positions.push({ section, index, block: blockIndex, start, end, textBytes, form, markable, marker, hash });
  } else element.problem ??= TOO_MANY;
  element.markers += block.nestedMarkers + (marker === null ? 0 : 1);
  element.hasImage ||= block.hasImage;
  element.isAttribution ||= block.isAttribution;
  if (block.tie !== 'none' && block.tie !== element.tie) element.tie = stronger(element.tie, block.tie);
  element.problem ??= block.problem;
  return end;
}
