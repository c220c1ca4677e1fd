import { modelName } from '../models.ts';

/**
 * Whose rate limit a model's requests count against: one limit for all of Opus 4.x, of Sonnet 4.x and of Fable 5.x, one of
 * its own for every other model (docs: rate limits). A closed set, since it is a metric's label: what is unknown is `other`.
 */
export function rateLimitClass(model: string | null): string {
  const name = modelName(model);
  if (name === null) return 'other';
  const shared = SHARED.find((family) => name === family || name.startsWith(`${family}-`));
  return (shared ?? name).replace(/^claude-/, '');
}

const SHARED = ['claude-opus-4', 'claude-sonnet-4', 'claude-fable-5'];
