import { parseBetas } from '../model/betas.ts';
import { findModel } from '../model/models.ts';
import { API_VERSIONS, type Ask } from '../validate/ask.ts';
import { validate } from '../validate/validate.ts';
import { type ApiRefusal, invalid, refuse } from '../wire/api-error.ts';
import { isObject, type Json } from '../wire/json.ts';
import { readBody } from '../wire/request-body.ts';
import type { Call, World } from './world.ts';

/** From a call to a question that makes sense, or the first thing that is wrong with it, in the API's order. */
export interface Asked {
  readonly kind: 'asked';
  readonly ask: Ask;
}

export async function readAsk(call: Call, world: World, endpoint: Ask['endpoint']): Promise<Asked | ApiRefusal> {
  const { headers } = call.request;
  const body = await readBody(call.request);
  if (body.kind === 'refused') return body;
  world.observations.keepBody(call.observation, body.bytes);
  const version = API_VERSIONS.find((known) => known === headers.get('anthropic-version'));
  if (!headers.has('anthropic-version')) return invalid('anthropic-version: header is required');
  if (!version) return invalid(`anthropic-version: "${headers.get('anthropic-version')}" is not a valid version`);
  const json = parse(body.text);
  if (!isObject(json)) return invalid('The request body is not valid JSON: an object was expected');
  if (json['model'] === undefined) return invalid('model: Field required');
  if (typeof json['model'] !== 'string') return invalid('model: Input should be a valid string');
  const model = findModel(json['model']);
  if (!model) return refuse(404, `model: ${json['model']}`);
  const ask: Ask = { endpoint, body: json, model, version, betas: parseBetas(headers.get('anthropic-beta')) };
  return { kind: 'asked', ask };
}

export function check({ ask }: Asked, world: World): ApiRefusal | { readonly kind: 'valid' } {
  return validate(ask, world.settings.unknown);
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
