import { laterUsage } from './wire-usage.ts';
import { objectIn, textIn, toObject, type WireObject } from './wire-object.ts';

/**
 * What the caller has got of an answer, as far as going on with it needs, and whether it can be gone on with.
 * It can while there is one text and, before it, nothing but whole thinking: anything else is bound to the call that made
 * it. Half a tool call or a thought cannot be resumed (docs: streaming, error recovery); a whole tool call, a server
 * tool's result and a citation would have to be told to the next call exactly, and if in doubt we don't. Thinking before
 * the text need not be told: the caller keeps it, its signature binds what stands before the answer, which stays.
 */
export interface PartialAnswer {
  /** As the answer names it. */
  readonly model: string | null;
  /** May be empty: its block had only begun. */
  readonly text: string;
  /** Index of the text's block where it is still open. */
  readonly openIndex: number | null;
  readonly nextIndex: number;
  /** In the wire's names, of all calls so far. */
  readonly usage: WireObject;
}

export type Recoverability =
  { readonly kind: 'yes'; readonly partial: PartialAnswer } | { readonly kind: 'no'; readonly reason: NotRecoverable };

/**
 * `answer_complete`: a stop reason was told and only the end is missing. We don't write it: more could have come
 * (docs: one or more message_delta), and a stream without `message_stop` is never closed as if complete.
 */
export type NotRecoverable =
  | 'no_text'
  | 'inside_thinking'
  | 'thinking_after_text'
  | 'tool_use'
  | 'other_block'
  | 'several_texts'
  | 'citations'
  | 'answer_complete'
  | 'too_long'
  | 'not_understood';

export interface AnswerRecord {
  /** An event as the caller gets it. */
  note(type: string, data: WireObject | null): void;
  /** Another call adds what it has used. */
  noteUsage(total: WireObject): void;
  ban(reason: NotRecoverable): void;
  /** No later event can make it recoverable again. */
  isBanned(): boolean;
  recoverable(): Recoverability;
}

/** In UTF-16 units; no model writes as much in one answer. */
const MAX_TEXT_LENGTH = 1024 * 1024;

const NOTHING: PartialAnswer = { model: null, text: '', openIndex: null, nextIndex: 0, usage: {} };

/** @param from an answer that another call goes on with. */
export function createAnswerRecord(from: PartialAnswer | null = null): AnswerRecord {
  let { model, nextIndex, usage } = from ?? NOTHING;
  let pieces: string[] = from ? [from.text] : [];
  let textLength = from?.text.length ?? 0;
  let hasStarted = from !== null;
  let hasText = from !== null;
  let open: { readonly index: number; readonly isText: boolean } | null =
    from?.openIndex == null ? null : { index: from.openIndex, isText: true };
  let banned: NotRecoverable | null = null;

  const ban = (reason: NotRecoverable): void => {
    banned ??= reason;
    pieces = [];
  };

  const startBlock = (index: unknown, block: WireObject): void => {
    if (!hasStarted || open || index !== nextIndex) return ban('not_understood');
    const objection = objectionTo(block, hasText);
    if (objection) return ban(objection);
    open = { index: nextIndex++, isText: block['type'] === 'text' };
    hasText ||= open.isText;
    if (open.isText) addText(textIn(block, 'text') ?? '');
  };

  const addText = (text: string): void => {
    pieces.push(text);
    textLength += text.length;
    if (textLength > MAX_TEXT_LENGTH) ban('too_long');
  };

  const goOn = (index: unknown, delta: WireObject): void => {
    if (open?.index !== index) return ban('not_understood');
    if (!open?.isText) return;
    if (delta['type'] === 'citations_delta') return ban('citations');
    if (delta['type'] !== 'text_delta') return ban('other_block');
    addText(textIn(delta, 'text') ?? '');
  };

  const stopBlock = (index: unknown): void => {
    if (open?.index !== index) return ban('not_understood');
    open = null;
  };

  const note = (type: string, data: WireObject): void => {
    switch (type) {
      case 'message_start':
        if (hasStarted) return ban('not_understood');
        hasStarted = true;
        model = textIn(objectIn(data, 'message'), 'model');
        usage = objectIn(objectIn(data, 'message'), 'usage');
        return;
      case 'content_block_start':
        return startBlock(data['index'], objectIn(data, 'content_block'));
      case 'content_block_delta':
        return goOn(data['index'], objectIn(data, 'delta'));
      case 'content_block_stop':
        return stopBlock(data['index']);
      case 'message_delta':
        usage = laterUsage(usage, objectIn(data, 'usage'));
        if ((objectIn(data, 'delta')['stop_reason'] ?? null) !== null) ban('answer_complete');
        return;
      case 'message_stop':
        return ban('answer_complete');
    }
  };

  return {
    note(type, data) {
      if (banned) return;
      if (data) note(type, data);
      else if (READ_EVENTS.has(type)) ban('not_understood');
    },
    noteUsage(total) {
      usage = total;
    },
    ban,
    isBanned: () => banned !== null,
    recoverable() {
      if (banned) return { kind: 'no', reason: banned };
      if (!hasText) return { kind: 'no', reason: open ? 'inside_thinking' : 'no_text' };
      pieces = [pieces.join('')];
      const partial = { model, text: pieces[0] ?? '', openIndex: open?.index ?? null, nextIndex, usage };
      return { kind: 'yes', partial };
    },
  };
}

/** Events that change what the caller has; all others (pings, what nobody knows yet) leave it as it is. */
export const READ_EVENTS: ReadonlySet<string> = new Set([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
]);

const TOOL_USES = new Set(['tool_use', 'server_tool_use', 'mcp_tool_use']);

export function isThinking(block: WireObject): boolean {
  return block['type'] === 'thinking' || block['type'] === 'redacted_thinking';
}

function objectionTo(block: WireObject, hasText: boolean): NotRecoverable | null {
  const type = textIn(block, 'type') ?? '';
  if (TOOL_USES.has(type)) return 'tool_use';
  if (isThinking(block)) return hasText ? 'thinking_after_text' : null;
  if (type !== 'text') return 'other_block';
  if (hasText) return 'several_texts';
  return Array.isArray(block['citations']) || toObject(block['citations']) ? 'citations' : null;
}
