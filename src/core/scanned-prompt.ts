/** What a scan finds in the bytes of a Messages body. Offsets are bytes from the start of the body. */

export type Ttl = '5m' | '1h';

/** In prefix order: the API renders tools, then system, then messages, whatever their order in the body. */
export type Section = 'tools' | 'system' | 'messages';

/** One unit that a prefix can end with: a tool, a system block, a content block, or a string standing for one. */
export interface Position {
  readonly section: Section;
  /** Index within `tools` or `system`, or of the message. */
  readonly index: number;
  /** Index of the block within a message; -1 for everything that is not a block of a message. */
  readonly block: number;
  readonly start: number;
  readonly end: number;
  /** Bytes that weigh like text: the data of a picture or a PDF is counted as what it usually costs. */
  readonly textBytes: number;
  /** `string`: becomes one text block when it is marked; `block`: an object that takes the marker as a member. */
  readonly form: 'string' | 'block';
  /** Whether a marker may certainly be added here. */
  readonly markable: boolean;
  /** The caller's own marker. */
  readonly marker: Ttl | null;
  /** 53-bit hash of what the API renders of it; the marker does not count, and a string is its one-block form. */
  readonly hash: number;
}

/**
 * What ties a prompt to the place where it ran before, weakest first. `turns`: an answer of the model's, which any place
 * can go on from. The others only one organization or workspace can read or find (docs: extended thinking, files, message
 * threads): `thinking` blocks, a `file` by its id, a `container` by its id, the rest of the prompt in a `thread`.
 */
export const TIES = ['none', 'turns', 'thinking', 'file', 'container', 'thread'] as const;
export type Tie = (typeof TIES)[number];

/** Where a value stands in the body, quotes included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ScannedPrompt {
  /** tools, then system, then messages. */
  readonly positions: readonly Position[];
  /** How many of them are tools, and tools or system. */
  readonly toolsEnd: number;
  readonly systemEnd: number;
  /** Hashes of the fields that a cache is keyed by, at the level from which on they change the prefix. */
  readonly keys: { readonly tools: number; readonly system: number; readonly messages: number };
  /** The TTL of a top-level `cache_control`, which marks the last markable block by itself. */
  readonly automatic: Ttl | null;
  /** The first system block is Claude Code's attribution, which Anthropic takes out of the prompt where it stands so. */
  readonly hasAttribution: boolean;
  /** Whether the answer is asked for as a stream, which shows when it begins. */
  readonly isStream: boolean;
  /** All markers the caller has set, the automatic one and nested ones included; the API allows four. */
  readonly callerMarkers: number;
  /** The strongest that was found. */
  readonly tie: Tie;
  /** The string of `metadata.user_id`. */
  readonly userId: ByteRange | null;
  /** A message thread: the answer it goes on from, null where it begins. */
  readonly thread: { readonly previousMessageId: ByteRange | null } | null;
  /** A member named `file_id` stands somewhere in the body, however deep. */
  readonly namesFile: boolean;
  /** Why nothing may be added to this body; null when everything in it was understood. */
  readonly uncertain: string | null;
}

export interface ScannedRequest {
  readonly model: string | null;
  readonly prompt: ScannedPrompt;
}

/** Where a position is, as people read it: `tools[2]`, `system`, `messages[3].content[0]`. */
export function placeOf({ section, index, block, form }: Position): string {
  if (section !== 'messages') return form === 'string' ? section : `${section}[${index}]`;
  return block < 0 ? `messages[${index}].content` : `messages[${index}].content[${block}]`;
}
