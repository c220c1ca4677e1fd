import type { Refusal } from '../../core/errors.ts';
import type { GatewayRequest } from '../../core/exchange.ts';
import { contentEncoding } from '../../core/headers.ts';
import { createNamedFiles } from '../../prompt/scan/file-ids.ts';
import type { Ownership } from '../../state/ownership.ts';
import { filesInCompressed } from './compressed-files.ts';
import { notFound } from './not-found.ts';

/**
 * Where a prompt must be sent because of the files it names: to the workspace that has them, if all of them are the tenant's.
 * It does not matter here in which blocks a file can stand: the scan knows some, the API may know more.
 */
export type HomeOfFiles =
  | { readonly kind: 'anywhere' }
  | { readonly kind: 'at'; readonly upstreamId: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const ANYWHERE: HomeOfFiles = { kind: 'anywhere' };
const AT_ONCE = 20;

export async function homeOfFiles(
  { body, headers, prompt }: GatewayRequest,
  tenantId: string,
  ownership: Ownership,
): Promise<HomeOfFiles> {
  if (!(body instanceof Uint8Array)) return ANYWHERE;
  const encoding = contentEncoding(headers);
  if (encoding === null) {
    const mayNameFiles = prompt?.namesFile ?? true;
    return mayNameFiles ? whereFilesAre(createNamedFiles().push(body), tenantId, ownership) : ANYWHERE;
  }
  const files = await filesInCompressed(body, encoding);
  if (files.kind === 'unreadable') return { kind: 'refused', refusal: UNREADABLE };
  return whereFilesAre(files.ids, tenantId, ownership);
}

const UNREADABLE: Refusal = {
  code: 'media_type_unsupported',
  detail: 'Compressed, it is taken as whole gzip or deflate of UTF-8, of no more than 32 MiB.',
};

/** Files of several workspaces cannot be read by one request: the upstream says so. */
export async function whereFilesAre(
  ids: readonly string[],
  tenantId: string,
  ownership: Ownership,
): Promise<HomeOfFiles> {
  let home = ANYWHERE;
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
