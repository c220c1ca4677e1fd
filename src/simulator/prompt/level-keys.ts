import { ACTIVE_BETA_EXCEPTIONS } from '../model/betas.ts';
import type { Model } from '../model/models.ts';
import { type Json, type JsonObject, listOf, objectOf } from '../wire/json.ts';
import { hasImage, isWebTool } from './pieces.ts';

/**
 * Parameters that are no blocks and still change the prompt. Each is mixed into the prefix at the first level it makes
 * new (docs: prompt caching, "what invalidates the cache"): a change at one level leaves the levels before it readable.
 * Not among them, because nothing lists them: max_tokens, stop_sequences, stream, metadata, service_tier, sampling.
 */
export interface LevelKeys {
  readonly tools: string;
  readonly system: string;
  readonly messages: string;
}

export function levelKeys(body: JsonObject, model: Model, betas: readonly string[]): LevelKeys {
  const thinking = thinkingKey(body, model);
  const early = model.thinkingInvalidates === 'tools';
  return {
    tools: join(activeBetas(betas), early ? thinking : ''),
    system: join(
      JSON.stringify(listOf(body['tools']).filter(isWebTool).map(withoutMarker)),
      String(usesCitations(body['messages'])),
      String(body['speed'] === 'fast' && model.fastMode !== 'ignored'),
      JSON.stringify(objectOf(body['output_config'])['format'] ?? body['output_format'] ?? null),
    ),
    messages: join(
      JSON.stringify(body['tool_choice'] ?? null),
      String(listOf(body['messages']).some((message) => hasImage(objectOf(message)['content']))),
      JSON.stringify(body['context_management'] ?? null),
      early ? '' : thinking,
    ),
  };
}

/** Sending what the model does anyway is the same as leaving it out. How thinking is shown (`display`) is not in the prompt. */
function thinkingKey(body: JsonObject, model: Model): string {
  const thinking = objectOf(body['thinking']);
  const mode = thinking['type'] ?? model.defaultThinking;
  const effort = objectOf(body['output_config'])['effort'] ?? model.defaultEffort;
  return JSON.stringify([mode, thinking['budget_tokens'] ?? null, effort]);
}

/** The set counts, neither its order nor names that have become no-ops (docs: cache diagnostics, "unavailable"). */
function activeBetas(betas: readonly string[]): string {
  return [...new Set(betas)]
    .filter((beta) => !ACTIVE_BETA_EXCEPTIONS.has(beta))
    .sort()
    .join(',');
}

function usesCitations(content: Json | undefined): boolean {
  return listOf(content).some((part) => {
    const block = objectOf(part);
    return objectOf(block['citations'])['enabled'] === true || usesCitations(block['content']);
  });
}

function withoutMarker(tool: Json): JsonObject {
  const { cache_control: _, ...rest } = objectOf(tool);
  return rest;
}

function join(...parts: string[]): string {
  return parts.join('\n');
}
