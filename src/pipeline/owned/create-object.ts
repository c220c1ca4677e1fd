import { mayBeUtf8Json } from '../../core/bytes.ts';
import type { Refusal } from '../../core/errors.ts';
import type { GatewayRequest, Outcome } from '../../core/exchange.ts';
import { contentEncoding, headerValue } from '../../core/headers.ts';
import type { ObjectCall, ObjectKind } from '../../core/owned-objects.ts';
import type { Tenant } from '../../core/tenant.ts';
import { objectIdOf, withResultsHere } from '../../ingress/object-answer.ts';
import { createNamedFiles } from '../../prompt/scan/file-ids.ts';
import type { Ownership } from '../../state/ownership.ts';
import type { Context, Service } from '../service.ts';
import { tooLarge, watchUpload, type Upload } from '../upload.ts';
import { whereFilesAre } from './home-of-files.ts';

/**
 * A batch or a file on its way up: passed on while it arrives, once, and claimed for its tenant before the tenant hears its
 * id. All of a tenant's go to the workspace of its first upstream, because a prompt can only name files of one.
 */
export interface CreateOptions {
  readonly ownership: Ownership;
  /** How long the next piece of an upload may take. */
  readonly uploadStallMs: () => number;
}

/** What the API takes (docs: API overview, request size limits). */
const MAX_BYTES: Readonly<Record<ObjectKind, number>> = { batches: 256 * 1024 * 1024, files: 500 * 1000 * 1000 };

/** Its prompts could not be read before they are passed on. */
const PACKED: Refusal = { code: 'media_type_unsupported', detail: 'A batch is not taken compressed.' };

export async function createObject(
  inner: Service,
  request: GatewayRequest,
  context: Context,
  object: ObjectCall,
  options: CreateOptions,
): Promise<Outcome> {
  const maxBytes = MAX_BYTES[object.of];
  const announcedBytes = Number(headerValue(request.headers, 'content-length') ?? 0);
  if (announcedBytes > maxBytes) return { kind: 'refused', refusal: tooLarge(maxBytes) };
  const isPacked = object.of === 'batches' && contentEncoding(request.headers) !== null;
  if (isPacked) return { kind: 'refused', refusal: PACKED };
  const upload = watched(request, context, object, maxBytes, options);
  const bound = { ...claiming(context, object, options), ...boundToFirst(context), tenant: cancelling(context) };
  if (!upload) return inner(request, bound);
  try {
    const signal = AbortSignal.any([context.signal, upload.over]);
    const outcome = await inner({ ...request, body: upload.body }, { ...bound, signal });
    return upload.refusal && outcome.kind === 'abandoned' ? { kind: 'refused', refusal: upload.refusal } : outcome;
  } finally {
    upload.close();
  }
}

/** The items of a batch are prompts, and may name files as any prompt does. */
function watched(
  { body }: GatewayRequest,
  { clock, tenant }: Context,
  { of }: ObjectCall,
  maxBytes: number,
  { ownership, uploadStallMs }: CreateOptions,
): Upload | null {
  if (body === null || body instanceof Uint8Array) return null;
  const files = createNamedFiles();
  const known = new Set<string>(); // the items of a batch often name the same
  return watchUpload(body, {
    clock,
    maxBytes,
    stallMs: uploadStallMs(),
    async inspect(piece) {
      if (of === 'files') return null;
      if (!mayBeUtf8Json(piece)) return { code: 'body_not_utf8' };
      const named = files.push(piece).filter((id) => !known.has(id));
      const home = await whereFilesAre(named, tenant.id, ownership);
      if (home.kind === 'refused') return home.refusal;
      for (const id of named) known.add(id);
      return null;
    },
  });
}

function claiming(context: Context, { of, gatewayUrl }: ObjectCall, { ownership }: CreateOptions): Context {
  return {
    ...context,
    async editAnswer(body, { upstream }) {
      const id = objectIdOf(body);
      if (id !== null) await ownership.claim(context.tenant.id, of, { id, upstreamId: upstream.id });
      return of === 'batches' ? withResultsHere(body, gatewayUrl) : body;
    },
  };
}

/** There is nothing to be read on: half a body is nobody's, and its break must not look like the upstream's. */
function cancelling({ tenant }: Context): Tenant {
  return { ...tenant, hangUp: 'cancel' };
}

function boundToFirst({ tenant: { upstreams } }: Context): Pick<Context, 'boundTo'> {
  const [first] = upstreams;
  return first === undefined ? {} : { boundTo: { to: 'workspace', upstreamId: first } };
}
