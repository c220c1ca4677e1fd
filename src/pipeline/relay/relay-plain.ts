import type { Answer, AnswerRelay } from './answer-relay.ts';
import { endAnswer } from './relay-endings.ts';

/** An answer that nobody here reads: sent as it comes. */
export function createPlainRelay(answer: Answer): AnswerRelay {
  const { head, writer } = answer;
  writer.open(head, null);
  return {
    chunk: (chunk) => writer.write(chunk),
    finish: (end) => endAnswer(end, answer),
  };
}
