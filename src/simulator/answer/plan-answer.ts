import type { Model } from '../model/models.ts';
import { tokensOfText } from '../model/tokens.ts';
import { isPlainUserTurn } from '../prompt/pieces.ts';
import { signThinking } from '../prompt/signature.ts';
import { identifier, pick, share } from '../wire/digest.ts';
import { isObject, type Json, type JsonObject, listOf, objectOf, textOf } from '../wire/json.ts';
import { prose } from './prose.ts';
import { sample } from './sample.ts';
import type { AnswerScript } from './script.ts';

/**
 * The whole answer, decided before its first byte by (seed, content of the request): the same question gets the same
 * answer with or without cache markers, streamed or not. Tokens are counted in the order in which they are produced.
 */
export type AnswerBlock =
  | { readonly kind: 'thinking'; readonly thinking: string; readonly signature: string; readonly tokens: number }
  | { readonly kind: 'text'; readonly text: string; readonly tokens: number }
  | {
      readonly kind: 'tool_use';
      readonly id: string;
      readonly name: string;
      readonly input: Json;
      readonly tokens: number;
    };

export interface Answer {
  readonly blocks: readonly AnswerBlock[];
  readonly stopReason: 'end_turn' | 'max_tokens' | 'stop_sequence' | 'tool_use';
  readonly stopSequence: string | null;
  readonly outputTokens: number;
  readonly thinkingTokens: number;
}

export interface Question {
  readonly body: JsonObject;
  readonly model: Model;
  /** Digest of the prompt's content. */
  readonly content: string;
  readonly script: AnswerScript;
  readonly seed: number;
}

export function planAnswer(question: Question): Answer {
  const room = Number(question.body['max_tokens']);
  const thinking = planThinking(question, room);
  const calls = planToolCalls(question);
  const spoken = planText(question, room - thinking.tokens, calls.length > 0);
  const blocks: AnswerBlock[] = [...thinking.blocks];
  if (spoken.text !== '') blocks.push({ kind: 'text', text: spoken.text, tokens: spoken.tokens });
  let used = thinking.tokens + spoken.tokens;
  let stopReason: Answer['stopReason'] = spoken.stopReason;
  for (const call of stopReason === 'end_turn' ? calls : []) {
    stopReason = used + call.tokens > room ? 'max_tokens' : 'tool_use';
    if (stopReason === 'max_tokens') break;
    blocks.push(call);
    used += call.tokens;
  }
  return { blocks, stopReason, stopSequence: spoken.stopSequence, outputTokens: used, thinkingTokens: thinking.tokens };
}

function planThinking({ body, model, content, script, seed }: Question, room: number) {
  const asked = objectOf(body['thinking']);
  const mode = asked['type'] ?? model.defaultThinking;
  const forced = ['any', 'tool'].includes(textOf(objectOf(body['tool_choice'])['type']));
  if (mode === 'disabled' || forced) return { blocks: [], tokens: 0 };
  const byChance =
    mode === 'enabled' || share(`${content}/thinks`, seed) < 0.6 ? pick(20, 160, `${content}/thinking`, seed) : 0;
  const wanted = script.thinkingTokens === 'by-seed' ? byChance : script.thinkingTokens;
  const budget = typeof asked['budget_tokens'] === 'number' ? asked['budget_tokens'] : room;
  const tokens = Math.min(wanted, budget, Math.max(0, room - 1));
  if (tokens <= 0) return { blocks: [], tokens: 0 };
  const shown = (asked['display'] ?? model.defaultThinkingDisplay) !== 'omitted';
  const thinking = shown ? prose(tokens, model, `${content}/thought`, seed) : '';
  const block = { kind: 'thinking', thinking, signature: signThinking(model, content, thinking), tokens } as const;
  return { blocks: [block], tokens };
}

function planText({ body, model, content, script, seed }: Question, room: number, callsFollow: boolean) {
  const schema = objectOf(objectOf(body['output_config'])['format'])['schema'];
  const byChance = callsFollow ? pick(8, 20, `${content}/lead`, seed) : pick(30, 300, `${content}/length`, seed);
  const wanted = script.outputTokens === 'by-seed' ? byChance : script.outputTokens;
  const whole = isObject(schema)
    ? JSON.stringify(sample(schema, `${content}.answer`, seed))
    : prose(wanted, model, `${content}/text`, seed);
  return cutText(whole, body, model, room);
}

function cutText(whole: string, body: JsonObject, model: Model, room: number) {
  const fits = tokensOfText(whole, model) <= room;
  const inRoom = fits ? whole : whole.slice(0, Math.floor(room * model.bytesPerToken));
  const stops = listOf(body['stop_sequences']).map(textOf);
  const found = stops
    .map((stop) => ({ stop, at: stop === '' ? -1 : inRoom.indexOf(stop) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)[0];
  const text = found ? inRoom.slice(0, found.at) : inRoom;
  const stopReason: Answer['stopReason'] = found ? 'stop_sequence' : fits ? 'end_turn' : 'max_tokens';
  return { text, tokens: tokensOfText(text, model), stopReason, stopSequence: found?.stop ?? null };
}

function planToolCalls(question: Question) {
  const tools = callableTools(question.body);
  const count = Math.min(callCount(question), 20);
  return Array.from({ length: tools.length === 0 ? 0 : count }, (_, index) => planCall(question, tools, index));
}

function callableTools(body: JsonObject): JsonObject[] {
  const choice = objectOf(body['tool_choice']);
  const tools = listOf(body['tools']).filter(isObject);
  const callable = tools.filter((tool) => isObject(tool['input_schema']) && tool['defer_loading'] !== true);
  return choice['type'] === 'tool' ? callable.filter((tool) => tool['name'] === choice['name']) : callable;
}

/** After tool results it always answers in text, so that a loop driven by a constant header comes to an end. */
function callCount({ body, content, script, seed }: Question): number {
  const choice = objectOf(body['tool_choice']);
  const last = listOf(body['messages'])
    .map(objectOf)
    .findLast((message) => message['role'] !== 'system');
  if (choice['type'] === 'none' || !last || !isPlainUserTurn(last)) return 0;
  const forced = choice['type'] === 'any' || choice['type'] === 'tool';
  const byChance = forced || share(`${content}/calls`, seed) < 0.5 ? pick(1, 2, `${content}/count`, seed) : 0;
  const wanted = script.toolCalls === 'by-seed' ? byChance : script.toolCalls;
  return choice['disable_parallel_tool_use'] === true ? Math.min(1, wanted) : wanted;
}

function planCall({ model, content, seed }: Question, tools: readonly JsonObject[], index: number) {
  const tool = tools[pick(0, tools.length - 1, `${content}/tool/${index}`, seed)] ?? {};
  const name = textOf(tool['name']);
  const input = sample(objectOf(tool['input_schema']), `${content}/${index}.${name}`, seed);
  const id = `toolu_01${identifier(22, `${content}/tool/${index}`, seed)}`;
  return { kind: 'tool_use', id, name, input, tokens: tokensOfText(name + JSON.stringify(input), model) } as const;
}
