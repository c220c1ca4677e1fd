import { failureOfCode } from '../../core/failures/upstream-failure.ts';
import type { Answer, AnswerRelay } from './answer-relay.ts';
import { endReply } from './relay-endings.ts';

/** An answer that nobody here reads: sent as it comes. */
export function createPlainRelay({ head, writer, context }: Answer): AnswerRelay {
  writer.open(head, null);
  return {
    chunk: (chunk) => writer.write(chunk),
    async finish(end) {
      const outcome = await endReply(end, writer, context);
      const failure = end.kind === 'failed' ? failureOfCode(end.code) : null;
      return {
        kind: 'answered',
        status: head.status,
        isStream: false,
        end: outcome,
        usage: null,
        model: null,
        failure,
      };
    },
  };
}
