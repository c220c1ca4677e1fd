import type { Clock } from '../../core/clock.ts';
import type { GatewayRequest, Outcome } from '../../core/exchange.ts';
import type { ObjectCall } from '../../core/owned-objects.ts';
import { withResultsHere } from '../../ingress/object-answer.ts';
import { listAnswer, readListQuery } from '../../ingress/object-list.ts';
import type { OwnedObject, Ownership } from '../../state/ownership.ts';
import { createReplyWriter } from '../relay/reply-writer.ts';
import { stoppedAs } from '../relay/relay-endings.ts';
import type { Context, Service } from '../service.ts';
import type { CollectedAnswer } from './collected-reply.ts';
import { fetchObject, type Fetched } from './fetch-object.ts';
import { pageFromBook, pageOfIds, type Book } from './object-page.ts';

/**
 * A tenant's own batches or files. The upstream lists a whole workspace: to filter that would take as many calls as others
 * have objects, its cursors name other tenants' objects, and two workspaces have no common order. So the list is made
 * from the tenant's book, and each object on it is asked for: one call for each that is shown, never for another's.
 */
export interface ListOptions {
  readonly clock: Clock;
  readonly ownership: Ownership;
  readonly relayLimits: () => { readonly streamIdleMs: number };
}

export async function listObjects(
  inner: Service,
  request: GatewayRequest,
  context: Context,
  { of, gatewayUrl }: ObjectCall,
  options: ListOptions,
): Promise<Outcome> {
  const { ownership } = options;
  const query = readListQuery(request.target);
  const suffix = query.isBeta ? '?beta=true' : '';
  const ask = (one: OwnedObject): Promise<Fetched> => fetchObject(inner, request, context, one, suffix);
  const book: Book = { ownership, tenantId: context.tenant.id, of };
  const page = await (query.ids === null ? pageFromBook(query, book, ask) : pageOfIds(query.ids, book, ask));
  if (page.kind === 'ended') return page.outcome;
  if (page.kind === 'failed') return send(page.answer, request, context, options);
  await forgetGone(page.gone, book);
  const list = listAnswer(of, page.objects, page.hasMore);
  const body = of === 'batches' ? withResultsHere(list, gatewayUrl) : list;
  return send({ status: 200, headers: { 'content-type': 'application/json' }, body }, request, context, options);
}

/** A file may have expired. A batch that was just made is missing at times (anthropic-sdk-python#1432), and runs out here. */
async function forgetGone(gone: readonly string[], { ownership, tenantId, of }: Book): Promise<void> {
  if (of === 'files') for (const id of gone) await ownership.forget(tenantId, of, id);
}

async function send(
  { status, headers, body }: CollectedAnswer,
  request: GatewayRequest,
  context: Context,
  { clock, relayLimits }: ListOptions,
): Promise<Outcome> {
  const streamIdleMs = (): number => relayLimits().streamIdleMs;
  const writer = createReplyWriter(request, context, { clock, hideRateLimits: true, streamIdleMs });
  writer.open({ status, headers: { ...headers, 'content-length': String(body.length) } }, null);
  writer.write(body);
  await writer.end();
  const end = stoppedAs(context) ?? 'complete';
  return { kind: 'answered', status, isStream: false, end, usage: null, model: null, failure: null };
}
