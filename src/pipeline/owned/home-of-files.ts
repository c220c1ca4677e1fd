import type { Refusal } from '../../core/errors.ts';
import type { GatewayRequest } from '../../core/exchange.ts';
import { TIES } from '../../core/scanned-prompt.ts';
import { createNamedFiles } from '../../prompt/file-ids.ts';
import type { Ownership } from '../../state/ownership.ts';
import { notFound } from './not-found.ts';

/**
 * Where a prompt must be sent because of the files it names: to the workspace that has them, if all of them are the tenant's.
 * Only a prompt in which the scan has seen one is read for them. What nobody here can read (a compressed body) is not
 * checked: a file's id cannot be guessed.
 */
export type HomeOfFiles =
  | { readonly kind: 'anywhere' }
  | { readonly kind: 'at'; readonly upstreamId: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const FILE_TIE = TIES.indexOf('file');
const AT_ONCE = 20;

export async function homeOfFiles(
  { prompt, body }: GatewayRequest,
  tenantId: string,
  ownership: Ownership,
): Promise<HomeOfFiles> {
  if (!prompt || TIES.indexOf(prompt.tie) < FILE_TIE || !(body instanceof Uint8Array)) return { kind: 'anywhere' };
  return whereFilesAre(createNamedFiles().push(body), tenantId, ownership);
}

/** Files of several workspaces cannot be read by one request: the upstream says so. */
export async function whereFilesAre(
  ids: readonly string[],
  tenantId: string,
  ownership: Ownership,
): Promise<HomeOfFiles> {
  let home: HomeOfFiles = { kind: 'anywhere' };
  const wanted = [...new Set(ids)];
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const some = wanted.slice(at, at + AT_ONCE).map(async (id) => {
      const found = await ownership.find(tenantId, 'files', id);
      return { id, found };
    });
    for (const { id, found } of await Promise.all(some)) {
      if (found.kind !== 'owned') return { kind: 'refused', refusal: notFound(found, 'files', id) };
      if (home.kind === 'anywhere') home = { kind: 'at', upstreamId: found.upstreamId };
    }
  }
  return home;
}
