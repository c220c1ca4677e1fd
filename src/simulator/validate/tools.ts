import { blocksOf } from '../prompt/pieces.ts';
import { type ApiRefusal, invalid } from '../wire/api-error.ts';
import { isObject, type JsonObject, listOf, objectOf, textOf } from '../wire/json.ts';
import type { Ask } from './ask.ts';
import { oneOf } from './fields.ts';

/** Tool definitions, the choice among them, and that every call is answered right after it was made. */
export function* checkTools({ body }: Ask): Iterable<ApiRefusal> {
  const tools = body['tools'];
  if (tools === undefined || tools === null) return;
  if (!Array.isArray(tools)) {
    yield invalid('tools: Input should be a valid list');
    return;
  }
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    if (!isObject(tool)) {
      yield invalid(`tools.${index}: Input should be a valid dictionary`);
      return;
    }
    yield* checkTool(tool, index);
    const name = textOf(tool['name']);
    if (name !== '' && names.has(name)) yield invalid('tools: Tool names must be unique.', 'tool_name_conflict');
    names.add(name);
  }
}

function* checkTool(tool: JsonObject, index: number): Iterable<ApiRefusal> {
  const custom = tool['type'] === undefined || tool['type'] === null || tool['type'] === 'custom';
  if (!custom) return;
  const path = `tools.${index}.custom`;
  const name = tool['name'];
  if (typeof name !== 'string') yield invalid(`${path}.name: Field required`);
  else if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
    yield invalid(`${path}.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
  }
  if (tool['defer_loading'] === true && tool['input_schema'] === undefined) return; // a placeholder: its definition comes later
  if (!isObject(tool['input_schema'])) yield invalid(`${path}.input_schema: Field required`);
  else if (tool['input_schema']['type'] !== 'object') yield invalid(oneOf(`${path}.input_schema.type`, ['object']));
}

export function* checkToolChoice({ body, model }: Ask): Iterable<ApiRefusal> {
  const choice = body['tool_choice'];
  if (choice === undefined || choice === null) return;
  const type = textOf(objectOf(choice)['type']);
  if (!['auto', 'any', 'tool', 'none'].includes(type))
    yield invalid(oneOf('tool_choice.type', ['auto', 'any', 'tool', 'none']));
  const tools = listOf(body['tools']).map(objectOf);
  if (tools.length === 0) yield invalid('tool_choice may only be specified while providing tools.');
  const forced = type === 'any' || type === 'tool';
  if (forced && !model.acceptsForcedTools)
    yield invalid(`tool_choice.type: "${type}" is not supported for this model (${model.id})`);
  if (forced && objectOf(body['thinking'])['type'] === 'enabled') {
    yield invalid('Thinking may not be enabled when tool_choice forces tool use.');
  }
  const name = textOf(objectOf(choice)['name']);
  if (type === 'tool' && !tools.some((tool) => tool['name'] === name))
    yield invalid(`Tool '${name}' not found in provided tools`);
}

/** Messages of one role in a row are one turn, and system messages stand outside of turns: both are seen through here. */
export function* checkToolPairs({ body }: Ask): Iterable<ApiRefusal> {
  const turns = turnsOf(listOf(body['messages']).map(objectOf));
  for (const [index, turn] of turns.entries()) {
    const calls = turn.role === 'assistant' ? idsOf(turn.blocks, 'tool_use', 'id') : [];
    const next = turns[index + 1];
    const answers = idsOf(next?.blocks ?? [], 'tool_result', 'tool_use_id');
    if (next) yield* checkAnswered(calls, answers, turn.at);
    if (turn.role === 'user') yield* checkAsked(turn, turns[index - 1]);
  }
}

interface Turn {
  readonly role: string;
  /** Index of its first message. */
  readonly at: number;
  readonly blocks: JsonObject[];
}

function turnsOf(messages: readonly JsonObject[]): Turn[] {
  const turns: Turn[] = [];
  for (const [at, message] of messages.entries()) {
    const role = textOf(message['role']);
    if (role === 'system') continue;
    const last = turns.at(-1);
    if (last?.role === role) last.blocks.push(...blocksOf(message['content']));
    else turns.push({ role, at, blocks: blocksOf(message['content']) });
  }
  return turns;
}

function idsOf(blocks: readonly JsonObject[], type: string, field: string): string[] {
  return blocks.filter((block) => block['type'] === type).map((block) => textOf(block[field]));
}

function* checkAnswered(calls: readonly string[], answers: readonly string[], at: number): Iterable<ApiRefusal> {
  const open = calls.filter((id) => !answers.includes(id));
  if (open.length > 0) {
    yield invalid(
      `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
    );
  }
  const twice = calls.find((id) => answers.filter((answer) => answer === id).length > 1);
  if (twice !== undefined)
    yield invalid(
      `messages.${at + 1}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${twice}`,
    );
}

function* checkAsked(turn: Turn, before: Turn | undefined): Iterable<ApiRefusal> {
  const calls = idsOf(before?.blocks ?? [], 'tool_use', 'id');
  const stray = idsOf(turn.blocks, 'tool_result', 'tool_use_id').find((id) => !calls.includes(id));
  if (stray !== undefined) {
    yield invalid(
      `messages.${turn.at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
    );
  }
}
