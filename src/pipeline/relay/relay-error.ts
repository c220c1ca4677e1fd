import { concatenate } from '../../core/bytes.ts';
import type { Outcome } from '../../core/exchange.ts';
import type { HeaderMap } from '../../core/headers.ts';
import { failureOfAnswer } from '../../core/failures/upstream-failure.ts';
import type { Answer, AnswerRelay } from './answer-relay.ts';
import { endAnswer, NOTHING_TOLD, unsent } from './relay-endings.ts';

/**
 * An error answer: kept until it is whole, so that whoever can mend it may ask again and nothing has to be taken back.
 * One that is longer than any error should be is sent as it comes.
 */
const MAX_KEPT_BYTES = 1024 * 1024;

export function createErrorRelay(answer: Answer): AnswerRelay {
  const { head, writer, context, options } = answer;
  const { status, headers } = head;
  let kept: Uint8Array[] = [];
  let keptBytes = 0;

  const open = (more?: HeaderMap): void => {
    writer.open(head, null, more);
    for (const chunk of kept) writer.write(chunk);
  };
  const failureNow = () =>
    failureOfAnswer({ status, headers, body: concatenate(kept) }, options.credential, options.clock.wallMs());

  return {
    chunk(chunk) {
      if (writer.isOpen) return writer.write(chunk);
      kept.push(chunk);
      keptBytes += chunk.length;
      if (keptBytes > MAX_KEPT_BYTES) open();
      return !writer.isFull;
    },
    async finish(end) {
      if (writer.isOpen) return endAnswer(end, answer, NOTHING_TOLD, end.kind === 'failed' ? undefined : failureNow());
      if (end.kind !== 'ended') return unsent(end, context);
      const failure = failureNow();
      const send = (more?: HeaderMap): Promise<Outcome> => {
        open(more);
        kept = [];
        return endAnswer(end, answer, NOTHING_TOLD, failure);
      };
      return { kind: 'held', status, body: concatenate(kept), failure, send };
    },
  };
}
