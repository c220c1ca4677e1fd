import type { Model } from '../model/models.ts';
import type { ApiRefusal } from '../wire/api-error.ts';
import type { JsonObject } from '../wire/json.ts';

/** A request whose body is an object and whose model exists: what every rule is asked about. */
export interface Ask {
  readonly endpoint: 'messages' | 'count_tokens';
  readonly body: JsonObject;
  readonly model: Model;
  readonly version: ApiVersion;
  readonly betas: readonly string[];
}

export const API_VERSIONS = ['2023-06-01', '2026-10-21'] as const;
type ApiVersion = (typeof API_VERSIONS)[number];

/** A rule yields what is wrong, first things first; only the first is ever told, as the API does. */
export type Rule = (ask: Ask) => Iterable<ApiRefusal>;
