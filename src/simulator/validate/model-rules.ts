import { type ApiRefusal, invalid } from '../wire/api-error.ts';
import { isObject, listOf, objectOf, textOf } from '../wire/json.ts';
import type { Ask } from './ask.ts';
import { oneOf } from './fields.ts';

/** What one model takes and another refuses (docs: errors, "what's new" pages), and what the newer API version took away. */
export function* checkThinking(ask: Ask): Iterable<ApiRefusal> {
  const { body, model } = ask;
  const thinking = body['thinking'];
  if (thinking === undefined || thinking === null) return;
  if (!isObject(thinking)) {
    yield invalid('thinking: Input should be an object');
    return;
  }
  const mode = textOf(thinking['type']);
  const offered = ['enabled', 'adaptive', 'disabled', 'between_tools'];
  if (!offered.includes(mode)) yield invalid(oneOf('thinking.type', offered.slice(0, 3)));
  if (!acceptsMode(ask, mode)) yield invalid(`thinking.type: "${mode}" is not supported for this model (${model.id})`);
  if (mode === 'enabled') yield* checkBudget(ask, thinking['budget_tokens']);
  if ('block_binding' in thinking && !ask.betas.some((beta) => beta.startsWith('thinking-binding-controls'))) {
    yield invalid('thinking.block_binding: Extra inputs are not permitted');
  }
}

function acceptsMode({ body, model }: Ask, mode: string): boolean {
  const effort = textOf(objectOf(body['output_config'])['effort']) || model.defaultEffort;
  switch (mode) {
    case 'enabled':
      return model.acceptsEnabledThinking;
    case 'adaptive':
      return model.acceptsAdaptiveThinking;
    case 'between_tools':
      return model.acceptsDisabledThinking === 'between-tools';
    default:
      if (model.acceptsDisabledThinking === 'up-to-high-effort') return effort !== 'xhigh' && effort !== 'max';
      return model.acceptsDisabledThinking === 'accepted';
  }
}

function* checkBudget({ body, endpoint }: Ask, budget: unknown): Iterable<ApiRefusal> {
  if (typeof budget !== 'number') {
    yield invalid('thinking.enabled.budget_tokens: Field required');
    return;
  }
  if (budget < 1024) yield invalid('thinking.enabled.budget_tokens: Input should be greater than or equal to 1024');
  const maxTokens = body['max_tokens'];
  if (endpoint === 'messages' && typeof maxTokens === 'number' && maxTokens > 0 && budget >= maxTokens) {
    yield invalid('`max_tokens` must be greater than `thinking.budget_tokens`');
  }
}

/** Temperature 1 is the default; top_p and top_k have no default a caller could name. */
export function* checkSampling({ body, model, version }: Ask): Iterable<ApiRefusal> {
  for (const field of ['temperature', 'top_p', 'top_k'] as const) {
    const value = body[field];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number') yield invalid(`${field}: Input should be a valid number`);
    if (version === '2026-10-21') yield invalid(`${field}: Extra inputs are not permitted`);
    const isDefault = field === 'temperature' && value === 1;
    if (!model.acceptsSampling && !isDefault)
      yield invalid(`\`${field}\` is not supported for this model (${model.id})`);
  }
  const temperature = body['temperature'];
  if (typeof temperature === 'number' && (temperature < 0 || temperature > 1))
    yield invalid('temperature: range: 0..1');
}

/** Docs: migration to 2026-10-21; documents by the assistant and citations in user turns are gone. */
export function* checkVersionBreaks({ body, version }: Ask): Iterable<ApiRefusal> {
  if (version !== '2026-10-21') return;
  for (const [index, message] of listOf(body['messages']).map(objectOf).entries()) {
    for (const [place, block] of listOf(message['content']).map(objectOf).entries()) {
      const path = `messages.${index}.content.${place}`;
      if (message['role'] === 'assistant' && block['type'] === 'document') {
        yield invalid(`${path}: \`document\` blocks are not permitted in assistant messages`);
      }
      const texts = block['type'] === 'search_result' ? listOf(block['content']).map(objectOf) : [block];
      const cited = texts.some((text) => text['type'] === 'text' && listOf(text['citations']).length > 0);
      if (message['role'] === 'user' && cited) yield invalid(`${path}.citations: Extra inputs are not permitted`);
    }
  }
}

/** Docs: fast mode; where it exists without a header, where it needs one, and where it is refused. */
export function* checkSpeed({ body, model, betas }: Ask): Iterable<ApiRefusal> {
  if (body['speed'] !== 'fast') return;
  if (model.fastMode === 'rejected') yield invalid(`speed: 'fast' is not supported for this model (${model.id})`);
  if (model.fastMode === 'with-beta' && !betas.some((beta) => beta.startsWith('fast-mode-'))) {
    yield invalid('speed: Extra inputs are not permitted');
  }
}

/** Docs: pre-warming the cache; `max_tokens: 0` reads the prompt, writes the cache and answers nothing. */
export function* checkPrewarming({ body, endpoint }: Ask): Iterable<ApiRefusal> {
  if (endpoint !== 'messages' || body['max_tokens'] !== 0) return;
  const because = (what: string) => invalid(`max_tokens: 0 is not permitted together with ${what}`);
  if (body['stream'] === true) yield because('`stream: true`');
  if (objectOf(body['thinking'])['type'] === 'enabled') yield because('`thinking.type: enabled`');
  if (objectOf(body['output_config'])['format']) yield because('`output_config.format`');
  const choice = objectOf(body['tool_choice'])['type'];
  if (choice === 'any' || choice === 'tool') yield because(`\`tool_choice.type: ${choice}\``);
}
