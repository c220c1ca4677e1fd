import { concatenate } from '../../core/bytes.ts';
import { readAnswer } from '../../ingress/anthropic-answer.ts';
import type { Answer, AnswerRelay } from './answer-relay.ts';
import { endAnswer, NOTHING_TOLD, unsent } from './relay-endings.ts';

/** A message in one piece: kept until it is whole, for no caller can use half of one, and read for its usage. */

const MAX_KEPT_BYTES = 1024 * 1024;
/** Beyond this it is relayed and not read: no model writes such a message. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

const NOTHING_READ = { ...NOTHING_TOLD, id: null };

export function createMessageRelay(answer: Answer): AnswerRelay {
  const { head, writer, context } = answer;
  let collected: Uint8Array[] = [];
  let collectedBytes = 0;

  const facts = () => (collectedBytes > MAX_READ_BYTES ? NOTHING_READ : readAnswer(concatenate(collected)));
  const openAndSend = (): void => {
    writer.open(head, facts().usage);
    for (const chunk of collected) writer.write(chunk);
  };

  return {
    chunk(chunk) {
      const wasOpen = writer.isOpen;
      if (!wasOpen && collectedBytes + chunk.length > MAX_KEPT_BYTES) openAndSend();
      collectedBytes += chunk.length;
      if (collectedBytes <= MAX_READ_BYTES) collected.push(chunk);
      else collected = [];
      return writer.isOpen ? writer.write(chunk) : true;
    },
    async finish(end) {
      const isWhole = end.kind === 'ended';
      if (!writer.isOpen && !isWhole) return unsent(end, context);
      const { usage, model, id } = facts();
      if (!writer.isOpen) openAndSend();
      collected = [];
      if (isWhole) context.onContent(id);
      if (isWhole) context.watch.onContent(usage);
      return endAnswer(end, answer, { usage, model });
    },
  };
}
