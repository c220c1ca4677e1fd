import { findModel, MODELS, type Model } from '../model/models.ts';
import { invalid, refuse } from '../wire/api-error.ts';
import { type Call, type Reply, whole } from './world.ts';

/** GET /v1/models and /v1/models/{id}: newest first, paged by id as the API pages. */
export function listModels(call: Call): Reply {
  const { caller } = call;
  if (caller.kind === 'refused') return caller;
  const query = new URL(call.request.url).searchParams;
  const limit = Number(query.get('limit') ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    return invalid('limit: Input should be between 1 and 1000');
  const matching = MODELS.filter((model) => lifecycle(model) === (query.get('lifecycle') ?? lifecycle(model)));
  const { page, hasMore } = pageOf(matching, limit, query.get('after_id'), query.get('before_id'));
  return whole({
    data: page.map(entry),
    has_more: hasMore,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  });
}

export function oneModel(call: Call): Reply {
  const { caller } = call;
  if (caller.kind === 'refused') return caller;
  const name = decodeURIComponent(new URL(call.request.url).pathname.split('/').at(-1) ?? '');
  const model = findModel(name);
  return model ? whole(entry(model)) : refuse(404, `model: ${name}`);
}

function pageOf(models: readonly Model[], limit: number, after: string | null, before: string | null) {
  const index = (id: string) => models.findIndex((model) => model.id === id);
  if (before !== null) {
    const end = Math.max(0, index(before));
    return { page: models.slice(Math.max(0, end - limit), end), hasMore: end > limit };
  }
  const start = after === null ? 0 : index(after) + 1;
  return { page: models.slice(start, start + limit), hasMore: start + limit < models.length };
}

/** Sonnet 4.5 has an announced end (docs: model deprecations). */
function lifecycle(model: Model): 'active' | 'deprecated' {
  return model.aliases.includes('claude-sonnet-4-5') ? 'deprecated' : 'active';
}

function entry(model: Model) {
  const supported = { supported: true };
  return {
    type: 'model',
    id: model.id,
    display_name: model.displayName,
    created_at: model.createdAt,
    lifecycle: lifecycle(model),
    deprecated_at: null,
    retires_at: lifecycle(model) === 'deprecated' ? '2026-11-30T00:00:00Z' : null,
    line: model.limitClass.split('-')[0],
    max_input_tokens: model.contextTokens,
    max_tokens: model.maxOutputTokens,
    capabilities: {
      batch: supported,
      citations: supported,
      effort: supported,
      image_input: supported,
      pdf_input: supported,
      structured_outputs: supported,
      thinking: supported,
    },
  };
}
