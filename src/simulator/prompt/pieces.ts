import { IMAGE_TOKENS, tokensOfBase64, tokensOfText } from '../model/tokens.ts';
import type { Model } from '../model/models.ts';
import { isObject, type Json, type JsonObject, listOf, objectOf, textOf } from '../wire/json.ts';

/**
 * A prompt as pieces: what the API renders, block by block, in prefix order, before anything is hashed. A piece says what
 * it is (its `content` is equal if and only if the model would be shown the same), what it weighs, and which markers the
 * caller put on it. Shape is not content: a string equals one text block, and two user messages in a row equal one.
 */
export interface Piece {
  readonly level: 'tools' | 'system' | 'messages';
  /** Where the caller wrote it, as the API names places: `messages.0.content.1`. */
  readonly path: string;
  readonly type: string;
  readonly content: string;
  readonly tokens: number;
  readonly markable: boolean;
  readonly markers: readonly Marker[];
  /** False for a place that holds no prompt text of its own: deferred tools, web tools (their text comes with the system prompt). */
  readonly inPrefix: boolean;
  readonly block: JsonObject;
}

interface Marker {
  readonly path: string;
  readonly value: Json;
}

const ATTRIBUTION = 'x-anthropic-billing-header:';

export function isWebTool(tool: Json): boolean {
  return /^web_(search|fetch)_/.test(textOf(objectOf(tool)['type']));
}

export function piecesOfTools(body: JsonObject, model: Model): Piece[] {
  let hiddenPromptTokens = model.toolPromptTokens;
  return listOf(body['tools']).map((tool, index) => {
    const block = objectOf(tool);
    const path = `tools.${index}`;
    const deferred = block['defer_loading'] === true;
    const inPrefix = !deferred && !isWebTool(tool);
    const content = JSON.stringify(withoutMarker(block));
    const tokens = inPrefix ? tokensOfText(content, model) + hiddenPromptTokens : 0;
    if (inPrefix) hiddenPromptTokens = 0;
    const markers = markersOf(block, path);
    return { level: 'tools', path, type: 'tool', content, tokens, markable: !deferred, markers, inPrefix, block };
  });
}

/**
 * Claude Code's attribution block is taken out when it is the first entry and an entry of its own; inside a string or in
 * another place it is prompt text like any other (docs: Claude Code, gateway protocol).
 */
export function piecesOfSystem(body: JsonObject, model: Model): Piece[] {
  return blocksOf(body['system']).flatMap((block, index) => {
    const attribution = index === 0 && Array.isArray(body['system']) && textOf(block['text']).startsWith(ATTRIBUTION);
    return attribution ? [] : [pieceOfBlock('system', `system.${index}`, 'system', block, model)];
  });
}

export function piecesOfMessages(body: JsonObject, model: Model): Piece[] {
  const messages = listOf(body['messages']).map(objectOf);
  const lastPlainUserTurn = messages.findLastIndex(isPlainUserTurn);
  return messages.flatMap((message, index) =>
    blocksOf(message['content']).flatMap((block, place) => {
      const old = model.stripsOldThinking && index < lastPlainUserTurn && isThinking(block);
      const path = `messages.${index}.content.${place}`;
      return old ? [] : [pieceOfBlock('messages', path, textOf(message['role']), block, model)];
    }),
  );
}

function isThinking(block: JsonObject): boolean {
  return block['type'] === 'thinking' || block['type'] === 'redacted_thinking';
}

/** A user turn with something else than tool results. */
export function isPlainUserTurn(message: JsonObject): boolean {
  return message['role'] === 'user' && blocksOf(message['content']).some((block) => block['type'] !== 'tool_result');
}

export function blocksOf(content: Json | undefined): JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content).map(objectOf);
}

function pieceOfBlock(level: Piece['level'], path: string, role: string, block: JsonObject, model: Model): Piece {
  const type = textOf(block['type']);
  const markable = !isThinking(block) && !(type === 'text' && textOf(block['text']) === '');
  const content = `${role}\n${rendered(block)}`;
  const tokens = tokensOfBlock(block, model);
  return { level, path, type, content, tokens, markable, markers: markersOf(block, path), inPrefix: true, block };
}

/** Markers nested in a tool result count, and stand on the tool result: the docs have sub-parts cached with their block only. */
function markersOf(block: JsonObject, path: string): Marker[] {
  const own = block['cache_control'];
  const nested = listOf(block['type'] === 'tool_result' ? block['content'] : []);
  return [
    ...nested.flatMap((part, index) => markersOf(objectOf(part), `${path}.content.${index}`)),
    ...(own === undefined || own === null ? [] : [{ path, value: own }]),
  ];
}

/** The order of keys inside a tool's input is the caller's and counts; that of the block's own fields doesn't. */
function rendered(block: JsonObject): string {
  switch (block['type']) {
    case 'text':
      return `text\n${textOf(block['text'])}\n${JSON.stringify(block['citations'] ?? null)}`;
    case 'tool_use':
      return `tool_use\n${textOf(block['id'])}\n${textOf(block['name'])}\n${JSON.stringify(block['input'])}`;
    case 'tool_result': {
      const parts = blocksOf(block['content']).map(rendered).join('\n');
      return `tool_result\n${textOf(block['tool_use_id'])}\n${block['is_error'] === true}\n${parts}`;
    }
    default:
      return JSON.stringify(withoutMarker(block));
  }
}

function tokensOfBlock(block: JsonObject, model: Model): number {
  switch (block['type']) {
    case 'text':
      return tokensOfText(textOf(block['text']), model);
    case 'thinking':
      return tokensOfText(textOf(block['thinking']) || textOf(block['signature']), model);
    case 'image':
      return IMAGE_TOKENS;
    case 'document':
      return tokensOfDocument(block, model);
    case 'tool_use':
      return tokensOfText(textOf(block['name']) + JSON.stringify(block['input']), model);
    case 'tool_result':
      return blocksOf(block['content']).reduce((sum, part) => sum + tokensOfBlock(part, model), 0);
    default:
      return tokensOfText(JSON.stringify(withoutMarker(block)), model);
  }
}

function tokensOfDocument(block: JsonObject, model: Model): number {
  const source = objectOf(block['source']);
  const data = textOf(source['data']);
  if (source['type'] === 'base64') return tokensOfBase64(data);
  return data === '' ? tokensOfText(JSON.stringify(source), model) : tokensOfText(data, model);
}

function withoutMarker(block: JsonObject): JsonObject {
  const { cache_control: _, ...rest } = block;
  return rest;
}

/** Whether an image stands anywhere in the messages, also inside a tool result. */
export function hasImage(content: Json | undefined): boolean {
  return listOf(content).some((part) => isObject(part) && (part['type'] === 'image' || hasImage(part['content'])));
}
