import type { Outcome, StopReason, StreamOutcome } from '../../core/exchange.ts';
import type { UpstreamFailure } from '../../core/attempt.ts';
import { failureOfCode } from '../../core/failures/upstream-failure.ts';
import type { TokenUsage } from '../../core/usage.ts';
import type { Answer } from './answer-relay.ts';
import type { ReplyWriter } from './reply-writer.ts';
import type { Context } from '../service.ts';
import type { UpstreamEnd } from '../upstream.ts';

/** How exchanges end, whatever kind their answer is of. */

/** Nothing has been sent, and there is nothing that could be. */
export function unsent(end: UpstreamEnd, { signal }: Context, told: Told = NOTHING_TOLD): Outcome {
  if (signal.aborted || end.kind === 'aborted') return { kind: 'abandoned', ...told };
  const code = end.kind === 'failed' ? end.code : 'upstream_broken';
  return { kind: 'refused', refusal: { code }, failure: failureOfCode(code) };
}

interface Told {
  readonly usage: TokenUsage | null;
  readonly model: string | null;
}

export const NOTHING_TOLD: Told = { usage: null, model: null };

/** null: nobody stopped it, or the process ends and the caller is to be told. */
export function stoppedAs({ signal }: Context): StreamOutcome | null {
  const reason = signal.aborted ? (signal.reason as StopReason) : null;
  if (reason === 'reader_stalled') return 'reader_stalled';
  return reason === 'caller_gone' ? 'client_abort' : null;
}

/** The end of an answer that has no events, and what became of it; `failure` where it is more than how the bytes ended. */
export async function endAnswer(
  end: UpstreamEnd,
  { head, writer, context }: Pick<Answer, 'head' | 'writer' | 'context'>,
  { usage, model }: Told = NOTHING_TOLD,
  failure: UpstreamFailure | null = end.kind === 'failed' ? failureOfCode(end.code) : null,
): Promise<Outcome> {
  const outcome = await endReply(end, writer, context);
  return { kind: 'answered', status: head.status, isStream: false, end: outcome, usage, model, failure };
}

/** The rest of an answer that has no events: whole, it ends properly; else the connection is cut. */
async function endReply(end: UpstreamEnd, writer: ReplyWriter, context: Context): Promise<StreamOutcome> {
  const isWhole = end.kind === 'ended';
  if (isWhole) await writer.end();
  const stopped = stoppedAs(context); // also by a reader that left or stalled before the last byte had
  if (stopped) return stopped;
  if (isWhole) return 'complete';
  await writer.cut();
  return 'truncated';
}
