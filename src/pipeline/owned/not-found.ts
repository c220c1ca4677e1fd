import type { Refusal } from '../../core/errors.ts';
import type { ObjectKind } from '../../core/owned-objects.ts';
import type { Found } from '../../state/ownership.ts';

/** What a caller is told of an object that is not known to be its own. */
export function notFound({ kind }: Exclude<Found, { kind: 'owned' }>, of: ObjectKind, id: string): Refusal {
  if (kind === 'unreachable') return { code: 'ownership_unknown', retryAfterSeconds: 1 };
  return { code: of === 'files' ? 'file_not_found' : 'batch_not_found', detail: id };
}
