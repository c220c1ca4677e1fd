import { newNotes, type GatewayRequest, type Outcome } from '../../core/exchange.ts';
import { saysNotFound } from '../../ingress/object-answer.ts';
import type { ListedObject } from '../../ingress/object-list.ts';
import type { OwnedObject } from '../../state/ownership.ts';
import type { Context, Service } from '../service.ts';
import { createCollectedReply, type CollectedAnswer } from './collected-reply.ts';

/** One object, asked for on behalf of a request for many, with its headers and at the upstream that has it. */
export type Fetched =
  | { readonly kind: 'object'; readonly object: ListedObject }
  | { readonly kind: 'gone'; readonly id: string }
  | {
      /** With the upstream's error, which is the caller's answer. */ readonly kind: 'failed';
      readonly answer: CollectedAnswer;
    }
  | { /** Without one. */ readonly kind: 'ended'; readonly outcome: Outcome };

export async function fetchObject(
  inner: Service,
  request: GatewayRequest,
  context: Context,
  { id, upstreamId }: OwnedObject,
  query: string,
): Promise<Fetched> {
  const reply = createCollectedReply();
  const notes = newNotes(); // what several calls at once tried must not be taken for one another's
  const path = request.target.split('?')[0] ?? '';
  const outcome = await inner(
    { ...request, method: 'GET', target: `${path}/${id}${query}`, body: null }, // for a HEAD, too: the list has a length
    { ...context, reply, notes, boundTo: { to: 'upstream', upstreamId } },
  );
  context.notes.attempts.push(...notes.attempts);
  if (outcome.kind !== 'answered') return { kind: 'ended', outcome };
  const answer = reply.answer();
  if (!answer) return { kind: 'ended', outcome: { kind: 'refused', refusal: { code: 'upstream_broken' } } };
  if (answer.status === 404 && saysNotFound(answer.body)) return { kind: 'gone', id };
  if (answer.status !== 200) return { kind: 'failed', answer };
  return { kind: 'object', object: { id, bytes: answer.body } };
}
