import { betaFamily, FIELD_BETA_FAMILY, isKnownBeta } from '../model/betas.ts';
import { type ApiRefusal, invalid } from '../wire/api-error.ts';
import { isObject, objectOf } from '../wire/json.ts';
import type { Ask } from './ask.ts';

/** Top-level fields: which exist, which are required, and of which type. The list is closed, as the API's is. */
const FIELDS = new Set(
  `model max_tokens messages cache_control container diagnostics inference_geo metadata output_config service_tier speed
  stop_sequences stream system thinking tool_choice tools user_profile_id workspace_id temperature top_p top_k`.split(
    /\s+/,
  ),
);

export function* checkUnknownNames(ask: Ask): Iterable<ApiRefusal> {
  const unexpected = ask.betas.filter((beta) => !isKnownBeta(beta));
  if (unexpected.length > 0) {
    const names = unexpected.map((beta) => `\`${beta}\``).join(', ');
    yield invalid(`Unexpected value(s) ${names} for the \`anthropic-beta\` header.`);
  }
  const known = (field: string) => FIELDS.has(field) || field in FIELD_BETA_FAMILY;
  for (const field of Object.keys(ask.body))
    if (!known(field)) yield invalid(`${field}: Extra inputs are not permitted`);
}

/** A beta's field and its header value travel as a pair; one without the other is an extra input. */
export function* checkBetaFields(ask: Ask): Iterable<ApiRefusal> {
  const families = new Set(ask.betas.map(betaFamily));
  for (const [field, family] of Object.entries(FIELD_BETA_FAMILY)) {
    if (field in ask.body && !families.has(family)) yield invalid(`${field}: Extra inputs are not permitted`);
  }
  if ('thread' in ask.body) {
    yield invalid(
      'thread: message threads are not supported here; send the whole conversation',
      'thread_unsupported_request',
    );
  }
}

export function* checkFields(ask: Ask): Iterable<ApiRefusal> {
  const { body, model } = ask;
  if (ask.endpoint === 'messages') yield* checkMaxTokens(body['max_tokens'], model);
  if (body['messages'] === undefined) yield invalid('messages: Field required');
  if (!Array.isArray(body['messages'])) yield invalid('messages: Input should be a valid list');
  if ('stream' in body && typeof body['stream'] !== 'boolean') yield invalid('stream: Input should be a valid boolean');
  if ('metadata' in body && !isObject(body['metadata']) && body['metadata'] !== null) {
    yield invalid('metadata: Input should be an object');
  }
  yield* checkStopSequences(ask);
  yield* checkChoices(ask);
}

function* checkMaxTokens(value: unknown, model: Ask['model']): Iterable<ApiRefusal> {
  if (value === undefined) yield invalid('max_tokens: Field required');
  if (typeof value !== 'number' || !Number.isInteger(value))
    yield invalid('max_tokens: Input should be a valid integer');
  else if (value < 0) yield invalid('max_tokens: Input should be greater than or equal to 0');
  else if (value > model.maxOutputTokens) {
    yield invalid(
      `max_tokens: ${value} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${model.id}`,
    );
  }
}

function* checkStopSequences({ body }: Ask): Iterable<ApiRefusal> {
  const sequences = body['stop_sequences'];
  if (sequences === undefined || sequences === null) return;
  if (!Array.isArray(sequences)) {
    yield invalid('stop_sequences: Input should be a valid list');
    return;
  }
  for (const [index, sequence] of sequences.entries()) {
    if (typeof sequence !== 'string') yield invalid(`stop_sequences.${index}: Input should be a valid string`);
    else if (sequence.trim() === '') yield invalid('stop_sequences: each stop sequence must contain non-whitespace');
  }
}

const CHOICES: readonly (readonly [string, readonly string[]])[] = [
  ['speed', ['standard', 'fast']],
  ['service_tier', ['auto', 'standard_only']],
];
const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'];

function* checkChoices({ body }: Ask): Iterable<ApiRefusal> {
  for (const [field, values] of CHOICES) {
    const value = body[field];
    if (value !== undefined && value !== null && !values.some((known) => known === value))
      yield invalid(oneOf(field, values));
  }
  const effort = objectOf(body['output_config'])['effort'];
  if (effort !== undefined && effort !== null && !EFFORTS.some((known) => known === effort)) {
    yield invalid(oneOf('output_config.effort', EFFORTS));
  }
}

export function oneOf(place: string, values: readonly string[]): string {
  return `${place}: Input should be ${values.map((value) => `'${value}'`).join(' or ')}`;
}
