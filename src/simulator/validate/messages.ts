import { blocksOf } from '../prompt/pieces.ts';
import { type ApiRefusal, invalid } from '../wire/api-error.ts';
import { isObject, type Json, type JsonObject, listOf, textOf } from '../wire/json.ts';
import type { Ask } from './ask.ts';

/** Roles, order and contents of the conversation, without regard to tools. */
const MAX_MESSAGES = 100_000;
/** Text, and with mid-conversation-tool-changes what comes and goes of the tools. */
const SYSTEM_BLOCKS = new Set(['text', 'tool_addition', 'tool_removal']);

export function* checkMessages(ask: Ask): Iterable<ApiRefusal> {
  const messages = listOf(ask.body['messages']);
  if (messages.length === 0) {
    yield invalid('messages: at least one message is required');
    return;
  }
  if (messages.length > MAX_MESSAGES) yield invalid(`messages: at most ${MAX_MESSAGES} messages are permitted`);
  for (const [index, message] of messages.entries()) yield* checkMessage(message, index, index === messages.length - 1);
  const all = messages.filter(isObject);
  if (all[0]?.['role'] !== 'user') yield invalid('messages: first message must use the "user" role');
  if (all.at(-1)?.['role'] === 'assistant') yield* checkPrefill(ask, all.at(-1)?.['content']);
  yield* checkSystemMessages(ask, all);
}

function* checkMessage(message: Json, index: number, last: boolean): Iterable<ApiRefusal> {
  const path = `messages.${index}`;
  if (!isObject(message)) {
    yield invalid(`${path}: Input should be a valid dictionary`);
    return;
  }
  const role = message['role'];
  if (role === undefined) yield invalid(`${path}.role: Field required`);
  if (role !== 'user' && role !== 'assistant' && role !== 'system') {
    yield invalid(`${path}.role: Input should be 'user', 'assistant' or 'system'`);
  }
  const content = message['content'];
  if (content === undefined) yield invalid(`${path}.content: Field required`);
  if (typeof content !== 'string' && !Array.isArray(content))
    yield invalid(`${path}.content: Input should be a valid list`);
  const mayBeEmpty = last && role === 'assistant' && content !== '';
  if ((content === '' || (Array.isArray(content) && content.length === 0)) && !mayBeEmpty) {
    yield invalid(`${path}: all messages must have non-empty content except for the optional final assistant message`);
  }
  yield* checkBlocks(content, path, role);
}

function* checkBlocks(content: Json | undefined, path: string, role: Json | undefined): Iterable<ApiRefusal> {
  for (const [place, block] of listOf(content).entries()) {
    const where = `${path}.content.${place}`;
    if (!isObject(block)) {
      yield invalid(`${where}: Input should be a valid dictionary`);
      return;
    }
    const type = block['type'];
    if (typeof type !== 'string') {
      yield invalid(`${where}.type: Field required`);
      return;
    }
    if (type === 'text' && typeof block['text'] !== 'string') yield invalid(`${where}.text.text: Field required`);
    if (type === 'text' && block['text'] === '') yield emptyText(block, path);
    if (role === 'system' && !SYSTEM_BLOCKS.has(type))
      yield invalid(`${where}: system messages may contain only text blocks`);
    if (role === 'user' && (type === 'tool_use' || type === 'thinking')) {
      yield invalid(`${path}: \`${type}\` blocks can only be in \`assistant\` messages`);
    }
    if (role === 'assistant' && type === 'tool_result') {
      yield invalid(`${path}: \`tool_result\` blocks can only be in \`user\` messages`);
    }
    if (type === 'thinking' && typeof block['signature'] !== 'string') {
      yield invalid(`${where}.thinking.signature: Field required`);
    }
  }
}

function emptyText(block: JsonObject, path: string): ApiRefusal {
  return block['cache_control']
    ? invalid(`${path}: cache_control cannot be set for empty text blocks`)
    : invalid(`${path}: text content blocks must be non-empty`);
}

function* checkPrefill({ model }: Ask, content: Json | undefined): Iterable<ApiRefusal> {
  if (!model.acceptsPrefill) {
    yield invalid(
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    );
  }
  const last = blocksOf(content).at(-1);
  if (last?.['type'] === 'text' && /\s$/.test(textOf(last['text']))) {
    yield invalid('messages: final assistant content cannot end with trailing whitespace');
  }
}

/** Docs: mid-conversation system messages; after a user turn, and last or before an assistant turn. */
function* checkSystemMessages({ model }: Ask, messages: readonly JsonObject[]): Iterable<ApiRefusal> {
  for (const [index, message] of messages.entries()) {
    if (message['role'] !== 'system') continue;
    const path = `messages.${index}`;
    if (!model.acceptsSystemMessages)
      yield invalid(`${path}.role: 'system' is not supported for this model (${model.id})`);
    const before = messages[index - 1];
    const after = messages[index + 1];
    const serverResult = before?.['role'] === 'assistant' && lastType(before).endsWith('_tool_result');
    const placed = before?.['role'] === 'user' || before?.['role'] === 'system' || serverResult;
    if (!placed) yield invalid(`${path}: a system message must directly follow a user message`);
    if (after?.['role'] === 'user')
      yield invalid(`${path}: a system message must be last or followed by an assistant message`);
  }
}

function lastType(message: JsonObject): string {
  return textOf(blocksOf(message['content']).at(-1)?.['type']);
}

export function* checkSystem({ body }: Ask): Iterable<ApiRefusal> {
  const system = body['system'];
  if (system === undefined || typeof system === 'string') return;
  if (!Array.isArray(system)) {
    yield invalid('system: Input should be a valid list');
    return;
  }
  for (const [index, block] of system.entries()) {
    if (!isObject(block) || block['type'] !== 'text') yield invalid(`system.${index}.type: Input should be 'text'`);
    else if (block['text'] === '') yield emptyText(block, 'system');
  }
}
