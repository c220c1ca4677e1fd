import { ONLY_WORKSPACE, type Settings } from '../settings.ts';
import { type ApiRefusal, refuse } from '../wire/api-error.ts';

/** Who calls: `x-api-key`, else `Authorization: Bearer`; the key's workspace, or the one the request names. */
export interface Caller {
  readonly kind: 'caller';
  readonly key: string;
  readonly workspace: string;
}

export function identify(headers: Headers, workspaces: Settings['workspaces']): Caller | ApiRefusal {
  const given = headers.get('x-api-key');
  const bearer = /^Bearer\s+(.+)$/i.exec(headers.get('authorization') ?? '')?.[1];
  const key = given ?? bearer;
  if (key === undefined || key === '') return refuse(401, 'x-api-key header is required');
  const own = workspaces === 'any' ? ONLY_WORKSPACE : workspaces[key];
  if (own === undefined) return refuse(401, given === null ? 'Invalid bearer token' : 'invalid x-api-key');
  return { kind: 'caller', key, workspace: headers.get('anthropic-workspace-id') ?? own };
}
