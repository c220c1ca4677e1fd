import type { GatewayRequest, Outcome } from '../core/exchange.ts';
import type { CallForOne, ObjectCall } from '../core/owned-objects.ts';
import { withResultsHere } from '../ingress/object-answer.ts';
import { createObject, type CreateOptions } from './owned/create-object.ts';
import { listObjects, type ListOptions } from './owned/list-objects.ts';
import { homeOfFiles } from './owned/home-of-files.ts';
import { claimingMadeFiles, runsCode } from './owned/made-files.ts';
import { notFound } from './owned/not-found.ts';
import type { Context, Layer, Service } from './service.ts';

/**
 * Whose batches and files are. All tenants of an upstream share its workspace, so that the upstream would give anybody
 * anything. What a tenant makes is noted before the tenant hears of it; what is not in its own book is answered 404 here,
 * in the same words and after the same one look whether it is another's or was never there. In pass-through mode each
 * caller has a key of its own, and the upstream knows.
 */
export interface OwnershipOptions extends CreateOptions, ListOptions {
  readonly mode: () => 'pass-through' | 'managed';
}

export function withOwnership(options: OwnershipOptions): Layer {
  return (inner) => async (request, asked) => {
    const { object } = request;
    if (options.mode() === 'pass-through') return inner(request, object ? ledHere(object, asked) : asked);
    const context = runsCode(request) ? claimingMadeFiles(asked, options.ownership) : asked;
    if (!object) return askWithFiles(inner, request, context, options);
    if ('id' in object) return askForOne(inner, request, context, object, options);
    const answer = object.does === 'create' ? createObject : listObjects;
    return answer(inner, request, context, object, options);
  };
}

/** Answers that say where a batch's results are say that they are here. */
function ledHere({ of, does, gatewayUrl }: ObjectCall, context: Context): Context {
  if (of !== 'batches' || does === 'download' || does === 'delete') return context;
  return { ...context, editAnswer: async (body) => withResultsHere(body, gatewayUrl) };
}

async function askForOne(
  inner: Service,
  request: GatewayRequest,
  context: Context,
  object: CallForOne,
  { ownership }: OwnershipOptions,
): Promise<Outcome> {
  const { of, id, does } = object;
  const found = await ownership.find(context.tenant.id, of, id);
  if (found.kind !== 'owned') return { kind: 'refused', refusal: notFound(found, of, id) };
  const boundTo = { to: 'upstream', upstreamId: found.upstreamId } as const;
  const outcome = await inner(request, { ...ledHere(object, context), boundTo });
  const isDeleted = does === 'delete' && outcome.kind === 'answered' && outcome.status < 300;
  if (isDeleted) await ownership.forget(context.tenant.id, of, id);
  return outcome;
}

async function askWithFiles(
  inner: Service,
  request: GatewayRequest,
  context: Context,
  { ownership }: OwnershipOptions,
): Promise<Outcome> {
  const home = await homeOfFiles(request, context.tenant.id, ownership);
  if (home.kind === 'anywhere') return inner(request, context);
  if (home.kind === 'refused') return home;
  return inner(request, { ...context, boundTo: { to: 'workspace', upstreamId: home.upstreamId } });
}
