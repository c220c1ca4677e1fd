import { concatenate } from '../../core/bytes.ts';
import type { Outcome } from '../../core/exchange.ts';
import type { HeaderMap } from '../../core/headers.ts';
import { failureOfAnswer, failureOfCode } from '../../core/failures/upstream-failure.ts';
import type { Answer, AnswerRelay } from './answer-relay.ts';
import { endReply, unsent } from './relay-endings.ts';
import type { UpstreamEnd } from '../upstream.ts';

/**
 * An error answer: kept until it is whole, so that whoever can mend it may ask again and nothing has to be taken back.
 * One that is longer than any error should be is sent as it comes.
 */
const MAX_KEPT_BYTES = 1024 * 1024;

export function createErrorRelay({ head, writer, context, options }: Answer): AnswerRelay {
  const { status, headers } = head;
  let kept: Uint8Array[] = [];
  let keptBytes = 0;

  const open = (more?: HeaderMap): void => {
    writer.open(head, null, more);
    for (const chunk of kept) writer.write(chunk);
  };
  const failureNow = () =>
    failureOfAnswer({ status, headers, body: concatenate(kept) }, options.credential, options.clock.wallMs());

  const answered = async (end: UpstreamEnd, failure: ReturnType<typeof failureNow>): Promise<Outcome> => {
    const outcome = await endReply(end, writer, context);
    return { kind: 'answered', status, isStream: false, end: outcome, usage: null, model: null, failure };
  };

  return {
    chunk(chunk) {
      if (writer.isOpen) return writer.write(chunk);
      kept.push(chunk);
      keptBytes += chunk.length;
      if (keptBytes > MAX_KEPT_BYTES) open();
      return !writer.isFull;
    },
    async finish(end) {
      if (writer.isOpen) return answered(end, end.kind === 'failed' ? failureOfCode(end.code) : failureNow());
      if (end.kind !== 'ended') return unsent(end, context);
      const failure = failureNow();
      const send = (more?: HeaderMap): Promise<Outcome> => {
        open(more);
        kept = [];
        return answered(end, failure);
      };
      return { kind: 'held', status, body: concatenate(kept), failure, send };
    },
  };
}
