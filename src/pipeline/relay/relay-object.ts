import { concatenate } from '../../core/bytes.ts';
import type { Context } from '../service.ts';
import type { Answer, AnswerRelay } from './answer-relay.ts';
import { endAnswer, unsent } from './relay-endings.ts';

/**
 * A batch, a file or a list of them: kept until it is whole, because what is sent is not quite what came, or may be sent
 * only after something else is done. One that is longer than any of the API's is sent as it comes.
 */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

export function createObjectRelay(answer: Answer, edit: NonNullable<Context['editAnswer']>): AnswerRelay {
  const { head, writer, context } = answer;
  let kept: Uint8Array[] = [];
  let keptBytes = 0;

  const openAsItIs = (): void => {
    writer.open(head, null);
    for (const chunk of kept) writer.write(chunk);
    kept = [];
  };
  const openEdited = async (): Promise<void> => {
    const body = concatenate(kept);
    const edited = context.routed ? await edit(body, context.routed) : body;
    const announced = head.headers['content-length'] === undefined ? {} : { 'content-length': String(edited.length) };
    writer.open({ status: head.status, headers: { ...head.headers, ...announced } }, null);
    writer.write(edited);
  };

  return {
    chunk(chunk) {
      if (writer.isOpen) return writer.write(chunk);
      kept.push(chunk);
      keptBytes += chunk.length;
      if (keptBytes > MAX_KEPT_BYTES) openAsItIs();
      return !writer.isFull;
    },
    async finish(end) {
      if (!writer.isOpen && end.kind !== 'ended') return unsent(end, context);
      if (!writer.isOpen) await openEdited();
      return endAnswer(end, answer);
    },
  };
}
