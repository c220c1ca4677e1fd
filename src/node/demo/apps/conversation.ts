import type { Desk, Question } from '../desk.ts';
import type { Writer } from '../words.ts';

/** A conversation that grows by a question and its answer each turn, each request carrying all that came before. */
export interface ConversationRules {
  readonly base: Omit<Question, 'messages'>;
  readonly turns: number;
  readonly questionTokens: readonly [low: number, high: number];
  readonly pauseMs: readonly [low: number, high: number];
}

/** One conversation after another until the demo stops. */
export async function converse(desk: Desk, writer: Writer, rules: ConversationRules): Promise<void> {
  while (!desk.isStopping) await oneConversation(desk, writer, rules);
}

async function oneConversation(desk: Desk, writer: Writer, rules: ConversationRules): Promise<void> {
  const messages: Question['messages'] = [];
  for (let turn = 0; turn < rules.turns && !desk.isStopping; turn++) {
    messages.push({ role: 'user', content: writer.text(writer.between(...rules.questionTokens)) });
    const answer = await desk.ask({ ...rules.base, messages });
    if (answer.kind === 'none') return;
    messages.push({ role: 'assistant', content: answer.content });
    await desk.pause(writer.between(...rules.pauseMs));
  }
}
